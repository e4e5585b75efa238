# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Write the PartWorld data set."""

import argparse
from collections.abc import Iterable
from typing import Any

EXAMPLES = r"""examples:
  python tools/partworld/make_dataset.py data/partworld
  python tools/partworld/make_dataset.py data/small --train 60 --val 20
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('out', help='folder to write, e.g. data/partworld')
    parser.add_argument(
        '--train',
        type=int,
        default=1000,
        help='pictures to train on, at most 1000 (default: %(default)s)',
    )
    parser.add_argument(
        '--val',
        type=int,
        default=200,
        help='pictures to validate on (default: %(default)s)',
    )
    parser.add_argument(
        '--seed',
        type=int,
        default=2012,
        help='of the random world (default: %(default)s)',
    )
    parser.add_argument(
        '--workers',
        type=int,
        default=1,
        help='processes (default: %(default)s)',
    )
    return parser.parse_args()


if __name__ == '__main__':
    parse_args()  # --help and slips are answered before torch is imported

from mmengine.logging import MMLogger
from tqdm import tqdm

from mmfmwsss.apis import run_reporting_user_errors
from mmfmwsss.workshop.partworld.files import PartWorldRecord, write_partworld


def show_bar(drawn: Iterable[Any], total: int) -> Iterable[Any]:
    """Wrap the pictures in a progress bar."""
    return tqdm(drawn, total=total, desc='PartWorld', unit='image')


def main() -> int:
    """Write the data set."""
    args = parse_args()
    logger = MMLogger.get_instance('mmfmwsss')
    # Draw what is not there yet
    record = PartWorldRecord(seed=args.seed, train=args.train, val=args.val)
    drawn = write_partworld(args.out, record, args.workers, show_bar)
    kept = record.train + record.val - drawn
    logger.info(f'{args.out}: {drawn} pictures drawn, {kept} were there.')
    return 0


if __name__ == '__main__':
    run_reporting_user_errors(main)
