# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""KEY=VALUE: what is mistyped or without effect is said."""

import argparse
from pathlib import Path
from typing import Any

import pytest
from arguments import add_common_arguments

from mmfmwsss.apis import load_config
from mmfmwsss.utils import UserInputError

CONFIGS = Path(__file__).parents[2] / 'configs' / 'fmwsss'


def load(*options: str, config: str = 'partworld_deeplabv3plus.py') -> Any:
    parser = argparse.ArgumentParser()
    add_common_arguments(parser)
    arguments = [str(CONFIGS / config), '--cfg-options', *options]
    return load_config(parser.parse_args(arguments))


@pytest.mark.parametrize(
    ('option', 'expected'),
    [
        ('train_cfg.max_iter=3', 'no setting `max_iter`. Is `max_iters`'),
        ('trian_cfg.max_iters=3', 'no setting `trian_cfg`. Is `train_cfg`'),
        ('model.bakbone.depth=50', 'no setting `bakbone`. Is `backbone`'),
        ('model.backbone.dept=50', '`model.backbone` has no setting `dept`'),
        ('train_dataloader.batchsize=2', 'Is `batch_size`'),
        ('train_dataloader.nonsense=2', 'no setting `nonsense`'),
        ('optim_wrapper.optimiser.lr=1', 'Is `optimizer`'),
        ('optim_wrapper.optimizer.wieght_decay=1', 'Is `weight_decay`'),
        ('default_hooks.checkpoint.intervvall=1', 'Is `interval`'),
        ('train_dataloader.dataset.pipeline.99.prob=1', 'no item 99'),
        ('train_dataloader.dataset.pipeline.x.prob=1', 'is a list'),
        ('model.decode_head.num_classes.x=1', 'is a int'),
        ('load_from.x=1', 'is None'),
        ('seed_dir=elsewhere', '`seed_dir` .* is used only while'),
        ('train_cfg.max_iters=0', 'whole number from 1 on, but got 0'),
        ('train_cfg.max_iters=many', "whole number from 1 on, but got 'many'"),
        ('train_dataloader.batch_size=0', 'from 1 on, but got 0'),
    ],
)
def test_refused(option: str, expected: str) -> None:
    with pytest.raises(UserInputError, match=expected):
        load(option)


@pytest.mark.parametrize(
    ('option', 'value'),
    [
        ('train_cfg.val_begin=3', 3),
        ('randomness.deterministic=True', True),
        ('randomness.seed=3', 3),
        ('model.backbone.with_cp=True', True),
        ('model.backbone.init_cfg=None', None),
        ('model.test_cfg.crop_size=(64,64)', (64, 64)),
        ('optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mult=0.1', 0.1),
        ('optim_wrapper.accumulative_counts=2', 2),
        ('load_from=a.pth', 'a.pth'),
        ('custom_hooks=[]', []),
        ('train_dataloader.pin_memory=True', True),
        ('default_hooks.mine.type=EMAHook', 'EMAHook'),
        ('default_hooks.checkpoint.save_best=mIoU', 'mIoU'),
        ('train_dataloader.dataset.seed_dir=/my seeds/x', '/my seeds/x'),
        ('test_evaluator.output_dir=/m', '/m'),
        ('train_dataloader.dataset.indices=4', 4),
        ('work_dir=/w', '/w'),
    ],
)
def test_new_and_old_settings(option: str, value: Any) -> None:
    found = load(option)
    for key in option.split('=')[0].split('.'):
        found = found[key]
    assert found == value


@pytest.mark.parametrize(
    ('option', 'expected'),
    [
        ('model.x', 'expected KEY=VALUE'),
        ('=3', 'expected KEY=VALUE'),
        ('model..x=3', 'expected KEY=VALUE'),
    ],
)
def test_bad_syntax(
    option: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match='2'):
        load(option)
    assert expected in capsys.readouterr().err.splitlines()[-1]


def test_brackets_that_do_not_match() -> None:
    message = r'^argument --cfg-options: the brackets of .a=\[1,\(2\]. do not'
    with pytest.raises(UserInputError, match=message):
        load('a=[1,(2]')


def test_options_given_twice_are_all_read() -> None:
    loaded = load(
        'randomness.seed=3', '--cfg-options', 'load_from=a', 'work_dir=/w'
    )
    assert loaded.randomness.seed == 3
    assert (loaded.load_from, loaded.work_dir) == ('a', '/w')


def test_no_workers_need_no_second_setting() -> None:
    loader = load('train_dataloader.num_workers=0').train_dataloader
    assert loader.get('persistent_workers', False) is False
