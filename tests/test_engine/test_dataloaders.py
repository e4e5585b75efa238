# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Loaders without workers, and with fewer pictures than a batch."""

import argparse
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmfmwsss.apis import load_config
from mmfmwsss.engine import (
    check_batches,
    settle_workers,
    warn_of_other_batch,
)
from mmfmwsss.utils import UserInputError

CONFIGS = Path(__file__).parents[2] / 'configs' / 'fmwsss'
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
Make = Callable[..., Config]


@pytest.mark.parametrize(
    'path',
    [p for p in sorted(CONFIGS.rglob('*.py')) if p.name != 'custom.py'],
    ids=lambda path: path.stem,
)
def test_no_workers_for_any_loader(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config.fromfile(path)
    for key in LOADERS:
        if config.get(key):
            config[key].num_workers = 0
    settle_workers(config)
    for key in LOADERS:
        if config.get(key):
            loader = config[key].to_dict()
            for part in ('dataset', 'sampler', 'batch_sampler', 'collate_fn'):
                loader.pop(part, None)
            DataLoader([0], **loader)


def test_it_says_so_and_leaves_others_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = Config(
        dict(
            train_dataloader=dict(num_workers=0, persistent_workers=True),
            val_dataloader=dict(num_workers=2, persistent_workers=True),
            test_dataloader=[dict(num_workers=0, prefetch_factor=4)],
        )
    )
    lines = []
    monkeypatch.setattr(
        'mmfmwsss.engine.dataloaders.print_log',
        lambda text, **kwargs: lines.append(text),
    )
    settle_workers(config)
    assert config.train_dataloader == dict(num_workers=0)
    assert config.val_dataloader.persistent_workers
    assert config.test_dataloader == [dict(num_workers=0)]
    first, second = lines
    assert '`train_dataloader.persistent_workers=True` is left out' in first
    assert '`test_dataloader.prefetch_factor=4` is left out' in second


def test_the_tools_settle_it() -> None:
    args = argparse.Namespace(
        config=str(CONFIGS / 'partworld_deeplabv3plus.py'),
        launcher='none',
        cfg_options=['train_dataloader.num_workers=0'],
        work_dir=None,
    )
    loader = load_config(args).train_dataloader
    assert not loader.get('persistent_workers', False)


def few(make: Make, **changes: object) -> Runner:
    """Build a training of 6 pictures, 12 draws in an epoch."""
    config = make('custom_deeplabv3plus', 'few', 0)
    config.train_dataloader.update(changes)
    config.train_dataloader.dataset.indices = 6
    config.train_dataloader.sampler.epoch_draws = 12
    return Runner.from_cfg(config)


def test_fewer_pictures_than_a_batch(network_config: Make) -> None:
    with pytest.raises(
        UserInputError,
        match='at least a batch of 16 images to train on, but there are 12. '
        'Set `--cfg-options train_dataloader.batch_size=12`',
    ):
        check_batches(few(network_config, batch_size=16))
    check_batches(few(network_config, batch_size=12))


@pytest.mark.parametrize(
    'changes',
    [dict(batch_size=1), dict(batch_size=11, drop_last=False)],
)
def test_batch_norm_needs_two(
    changes: dict[str, object], network_config: Make
) -> None:
    with pytest.raises(UserInputError, match='batches of 2 or more images'):
        check_batches(few(network_config, **changes))


def test_endless_samplers_fill_any_batch(network_config: Make) -> None:
    config = network_config('partworld_deeplabv3plus', 'endless', 0)
    config.train_dataloader.batch_size = 16
    check_batches(Runner.from_cfg(config))


def recipe(**changes: object) -> SimpleNamespace:
    """A runner with what the warning reads, and the warnings it got."""
    lines: list[str] = []
    values = dict(world_size=1, batch=16, steps=1, scale=dict(
        base_batch_size=16
    )) | changes  # fmt: skip
    return SimpleNamespace(
        auto_scale_lr=values['scale'],
        world_size=values['world_size'],
        train_loop=SimpleNamespace(
            dataloader=SimpleNamespace(batch_size=values['batch'])
        ),
        optim_wrapper=SimpleNamespace(_accumulative_counts=values['steps']),
        logger=SimpleNamespace(warning=lines.append),
        lines=lines,
    )


def test_the_batch_of_the_recipe_is_not_warned_of() -> None:
    for runner in (
        recipe(),
        recipe(world_size=8, batch=2),
        recipe(world_size=2, batch=2, steps=4),
        recipe(batch=3, scale=None),
        recipe(batch=3, scale=dict(base_batch_size=16, enable=True)),
    ):
        warn_of_other_batch(runner)
        assert runner.lines == []


def test_another_batch_is_warned_of_with_the_remedy() -> None:
    runner = recipe(world_size=8)
    warn_of_other_batch(runner)
    (line,) = runner.lines
    assert 'for 16 images an update, but there are 128 (8 processes' in line
    assert 'train_dataloader.batch_size=2,' in line
    assert 'auto_scale_lr.enable=True' in line
    runner = recipe(world_size=3)
    warn_of_other_batch(runner)
    assert 'as many processes as divide it' in runner.lines[0]


@pytest.mark.parametrize(
    'path',
    [p for p in sorted(CONFIGS.rglob('*.py')) if p.name != 'custom.py'],
    ids=lambda path: path.stem,
)
def test_every_recipe_has_the_batch_it_wants(path: Path) -> None:
    config = Config.fromfile(path)
    if not config.get('train_dataloader') or not config.get('optim_wrapper'):
        return
    steps = config.optim_wrapper.get('accumulative_counts', 1)
    wanted = config.auto_scale_lr.base_batch_size
    assert config.train_dataloader.batch_size * steps == wanted
    assert not config.auto_scale_lr.enable
