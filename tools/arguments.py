# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Arguments that several tools share.

Needs the standard library only: a tool reads its command line before it
imports torch, so that ``--help`` and slips are answered at once.
"""

import argparse

__all__ = [
    'CAM_FORMATS',
    'add_common_arguments',
    'add_seeder_options',
    'add_trust_argument',
    'key_value',
]

CAM_FORMATS = ('clip_es', 'irn', 'npy', 'png')


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that mmseg's train and test scripts share."""
    # Say what to run, and where
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='folder of logs and results')
    # Let settings be overridden, in one or several groups
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action='extend',
        type=key_value,
        metavar='KEY=VALUE',
        help='override settings of the config, e.g. model.test_cfg.mode=slide',
    )
    # Say how the processes are started
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='job launcher (default: %(default)s)',
    )
    parser.add_argument(
        '--local_rank',
        '--local-rank',
        type=int,
        default=0,
        help='set by some launchers (default: %(default)s)',
    )


def add_trust_argument(parser: argparse.ArgumentParser) -> None:
    """Add the flag that lets a checkpoint run code."""
    parser.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='read a checkpoint that holds more than data, which runs code in '
        'it: for files that you made yourself',
    )


def add_seeder_options(parser: argparse.ArgumentParser, seeder: str) -> None:
    """Add the settings of a seeder, which the help calls ``seeder``."""
    parser.add_argument(
        '--seeder-options',
        nargs='+',
        action='extend',
        type=key_value,
        default=[],
        metavar='KEY=VALUE',
        help=f'settings of {seeder}, e.g. alpha=0.7',
    )


def key_value(text: str) -> str:
    """Check that a text is KEY=VALUE, and hand it on as it is.

    Raises:
        ArgumentTypeError: If it is not.
    """
    # Refuse what mmengine would misread
    key, equals, _ = text.partition('=')
    if not equals or not all(key.split('.')) or key != key.strip():
        raise argparse.ArgumentTypeError(
            'expected KEY=VALUE, e.g. model.test_cfg.mode=slide, but got '
            f'{text!r} (no spaces around `=`)'
        )
    return text
