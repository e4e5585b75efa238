# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Train what a config describes: prompts, or a segmentation network."""

import argparse
import os

from mmengine.config import Config
from mmengine.runner import Runner

import mmfmwsss  # noqa: F401  before mmseg: registers, and readies mmcv
from mmfmwsss.apis import (
    add_common_arguments,
    load_config,
    run_reporting_user_errors,
)


def parse_args() -> argparse.Namespace:
    """Command line, as mmseg's."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_common_arguments(parser)
    parser.add_argument(
        '--resume',
        action='store_true',
        help='resume from the latest checkpoint in the work_dir',
    )
    parser.add_argument(
        '--amp', action='store_true', help='automatic mixed precision'
    )
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def enable_amp(config: Config) -> None:
    """Wrap the optimiser for mixed precision."""
    config.optim_wrapper.type = 'AmpOptimWrapper'
    config.optim_wrapper.loss_scale = 'dynamic'


def main() -> int:
    """Train."""
    args = parse_args()
    config = load_config(args)
    if args.amp:
        enable_amp(config)
    config.resume = args.resume
    Runner.from_cfg(config).train()
    return 0


if __name__ == '__main__':
    run_reporting_user_errors(main)
