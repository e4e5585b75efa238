# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Prepare configs and runs for `tools/train.py` and `tools/test.py`."""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.runner import Runner

from ..engine.dataloaders import settle_workers
from ..utils import atomic_path, read_config
from .class_count import fill_num_classes
from .options import check_numbers, merge_options, read_options

__all__ = [
    'load_config',
    'write_metrics',
]


def load_config(args: argparse.Namespace) -> Config:
    """Read the config and merge the command line into it.

    Raises:
        UserInputError: If the file is not there, an option does not fit, or
            class names are wrong.
    """
    # Read the config, and merge the command line into it.
    config = read_config(args.config)
    config.launcher = args.launcher
    if args.cfg_options is not None:
        merge_options(config, read_options(args.cfg_options))
    # Check numbers of the run, and the loaders' workers.
    check_numbers(config)
    settle_workers(config)
    # Choose the folder of the run.
    if args.work_dir is not None:
        config.work_dir = args.work_dir
    elif config.get('work_dir') is None:
        config.work_dir = str(Path('work_dirs') / Path(args.config).stem)
    # Let the class names say how many outputs there are.
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
    # Take the record of each metric that keeps one.
    records = {
        metric.prefix: metric.record
        for metric in runner.test_loop.evaluator.metrics
        if getattr(metric, 'record', None)
    }
    # Put down the numbers, and what they are of.
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
