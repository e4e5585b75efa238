# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What `tools/train.py` and `tools/test.py` share."""

import argparse
import json
import re
import signal
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction
from mmengine.dist import is_main_process
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from ..utils import UserInputError, atomic_path, read_config
from .class_count import fill_num_classes
from .processes import StoppedBySignal

# Of other packages, on what a user of ours can do nothing about.
_KNOWN_WARNINGS = (
    'The draw is False',  # mmseg's hook, which --show-dir switches on
    '`torch.jit.script` is deprecated',  # torch's own forward mode
    "__array__ implementation doesn't accept a copy",  # pycocotools
)

__all__ = [
    'add_common_arguments',
    'load_config',
    'run_reporting_user_errors',
    'write_metrics',
]


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that mmseg's train and test scripts share."""
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='folder of logs and results')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='override settings of the config, e.g. model.test_cfg.mode=slide',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='job launcher',
    )
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def load_config(args: argparse.Namespace) -> Config:
    """Read the config and merge the command line into it.

    Raises:
        UserInputError: If the file is not there, or its class names are wrong.
    """
    config = read_config(args.config)
    config.launcher = args.launcher
    if args.cfg_options is not None:
        config.merge_from_dict(args.cfg_options)
    if args.work_dir is not None:
        config.work_dir = args.work_dir
    elif config.get('work_dir') is None:
        config.work_dir = str(Path('work_dirs') / Path(args.config).stem)
    fill_num_classes(config)
    return config


def write_metrics(
    runner: Runner, metrics: dict[str, Any], seconds: float
) -> None:
    """Write ``metrics.json`` into the run's work_dir.

    ``metrics`` are the numbers; ``records`` has, for each metric that keeps
    one, the split, the protocol and the scores of each class.
    """
    if not is_main_process():
        return
    records = {
        metric.prefix: metric.record
        for metric in runner.test_loop.evaluator.metrics
        if getattr(metric, 'record', None)
    }
    record = dict(
        metrics={k: float(v) for k, v in metrics.items() if _is_number(v)},
        records=records,
        seconds=round(seconds, 1),
        checkpoint=str(runner._load_from) if runner._load_from else None,
        date=time.strftime('%Y-%m-%dT%H:%M:%S'),
    )
    with atomic_path(Path(runner.work_dir) / 'metrics.json') as path:
        path.write_text(json.dumps(record, indent=2) + '\n')


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def run_reporting_user_errors(main: Callable[[], int]) -> None:
    """Run a command and exit; a :class:`UserInputError` has no traceback.

    The exit code is 2 then, and 128 + n after signal n.
    """
    for message in _KNOWN_WARNINGS:
        warnings.filterwarnings('ignore', re.escape(message))
    try:
        sys.exit(main())
    except UserInputError as error:
        # An error from a data loader's worker carries its traceback as text.
        text = str(error).rsplit('UserInputError: ', 1)[-1].strip()
        MMLogger.get_current_instance().error(text)
        sys.exit(2)
    except (KeyboardInterrupt, StoppedBySignal) as stop:
        number = getattr(stop, 'number', int(signal.SIGINT))
        name = signal.Signals(number).name
        MMLogger.get_current_instance().error(
            f'Stopped by {name}. What is done is kept; the same command goes '
            'on from there (tools/train.py with --resume).'
        )
        sys.exit(128 + number)
