# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What the scripts write, and how they end."""

import argparse
import json
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from arguments import add_common_arguments

from mmfmwsss.apis import (
    load_config,
    run_reporting_user_errors,
    write_metrics,
)
from mmfmwsss.utils import UserInputError


def test_metrics_of_any_number_type_are_written(tmp_path: Path) -> None:
    evaluator = SimpleNamespace(
        metrics=[
            SimpleNamespace(prefix='fine_seed', record={'split': 'train'}),
            SimpleNamespace(prefix='cam', record={}),
            SimpleNamespace(prefix=None),  # a metric of another library
        ]
    )
    runner: Any = SimpleNamespace(
        work_dir=str(tmp_path),
        _load_from=None,
        test_loop=SimpleNamespace(evaluator=evaluator),
    )
    metrics = {
        'mIoU': np.float32(41.5),
        'images': 200,
        'loss': torch.tensor(0.25),
        'table': 'no number',
    }
    write_metrics(runner, metrics, seconds=1.234)
    record = json.loads((tmp_path / 'metrics.json').read_text())
    assert record['metrics'] == {'mIoU': 41.5, 'images': 200, 'loss': 0.25}
    assert record['records'] == {'fine_seed': {'split': 'train'}}
    assert record['seconds'] == 1.2
    assert record['checkpoint'] is None


def test_exit_codes() -> None:
    with pytest.raises(SystemExit, match='^1$'):
        run_reporting_user_errors(lambda: 1)

    def refuse() -> int:
        raise UserInputError('mend it so')

    with pytest.raises(SystemExit, match='^2$'):
        run_reporting_user_errors(refuse)

    def bug() -> int:
        raise ValueError('a defect keeps its traceback')

    with pytest.raises(ValueError, match='defect'):
        run_reporting_user_errors(bug)


def test_known_warnings_of_others_are_not_shown() -> None:
    def warn() -> int:
        for text in (
            'The draw is False, it means ...',
            'This DataLoader will create 4 worker processes in total.',
            'Default ``avg_non_ignore`` is False, if you would like',
        ):
            warnings.warn(text, stacklevel=1)
        warnings.warn('The draw is not known', stacklevel=1)
        return 0

    with (
        pytest.warns(UserWarning, match='The draw') as shown,
        pytest.raises(SystemExit),
    ):
        run_reporting_user_errors(warn)
    assert [str(w.message) for w in shown] == ['The draw is not known']


def test_work_dir_and_options(tmp_path: Path) -> None:
    config = tmp_path / 'my_config.py'
    config.write_text('a = dict(b=1)\n')
    parser = argparse.ArgumentParser()
    add_common_arguments(parser)
    args = parser.parse_args([str(config), '--cfg-options', 'a.b=2'])
    loaded = load_config(args)
    assert loaded.a.b == 2
    assert loaded.work_dir == 'work_dirs/my_config'
    args = parser.parse_args([str(config), '--work-dir', 'elsewhere'])
    assert load_config(args).work_dir == 'elsewhere'
