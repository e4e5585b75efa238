# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Loaders without workers, and with fewer pictures than a batch."""

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmfmwsss.apis import load_config
from mmfmwsss.engine import check_batches, settle_workers
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
    """6 pictures, twice: 12 in an epoch."""
    config = make('custom_deeplabv3plus', 'few', 0)
    config.train_dataloader.update(changes)
    config.train_dataloader.dataset.dataset.indices = 6
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
