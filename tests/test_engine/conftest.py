# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Short trainings of prompts on the small world."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import CheckpointLoader, Runner
from PIL import Image

from mmfmwsss.apis.class_count import fill_num_classes
from mmfmwsss.structures import SAMMasks
from mmfmwsss.workshop import partworld

CONFIGS = Path(__file__).parents[2] / 'configs' / 'fmwsss'
PROMPTS = [
    f'streams.{stream}.prompts.context'
    for stream in ('classification', 'segmentation')
]


@pytest.fixture(scope='session')
def box_masks(
    partworld_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Masks that need no SAM: overlapping boxes."""
    folder = tmp_path_factory.mktemp('box_masks')
    for path in sorted((partworld_root / 'JPEGImages').glob('*.jpg')):
        width, height = Image.open(path).size
        masks = torch.zeros(5, height, width, dtype=torch.bool)
        for k in range(4):
            masks[k, 20 * k : 20 * k + 45, 15 * k : 15 * k + 50] = True
        masks[4] = True
        SAMMasks(
            masks, torch.tensor([0, 1, 2, 1, 2]), torch.ones(5), torch.ones(5)
        ).save(folder / f'{path.stem}.json')
    return folder


@pytest.fixture
def prompt_config(
    partworld_root: Path,
    box_masks: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Config]:
    """``prompt_config(name, iters=..., ...)``: a run of its own folder."""
    monkeypatch.setenv('PARTWORLD_ROOT', str(partworld_root))

    def make(
        name: str,
        iters: int = 4,
        batch_size: int = 2,
        num_workers: int = 0,
        **changes: Any,
    ) -> Config:
        config = Config.fromfile(CONFIGS / 'partworld_prompt.py')
        config.work_dir = str(tmp_path / name)
        config.experiment_name = f'{tmp_path.name}_{name}'
        config.train_dataloader.update(
            batch_size=batch_size,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
        )
        pipeline = config.train_dataloader.dataset.pipeline
        next(t for t in pipeline if t.type == 'LoadSAMMasks').mask_dir = str(
            box_masks
        )
        config.train_cfg.max_iters = iters
        config.param_scheduler = [
            dict(type='LinearLR', start_factor=0.5, by_epoch=False, end=iters)
        ]
        config.optim_wrapper.optimizer.lr = 0.5
        config.default_hooks.logger.interval = 1
        config.default_hooks.checkpoint.interval = 2
        config.default_hooks.seed_visualization.images = 0
        config.merge_from_dict(changes)
        return config

    return make


@pytest.fixture
def network_config(
    partworld_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Config]:
    """``network_config(config, name, ...)``: on 6 pictures and their truth."""
    (tmp_path / 'own').mkdir()
    (tmp_path / 'own' / 'images').symlink_to(partworld_root / 'JPEGImages')
    names = [thing.name for thing in partworld.CLASSES]
    (tmp_path / 'own' / 'classes.yaml').write_text(
        json.dumps(dict(classes=names, background=['ground']))
    )
    monkeypatch.setenv('PARTWORLD_ROOT', str(partworld_root))
    monkeypatch.setenv('CUSTOM_ROOT', str(tmp_path / 'own'))
    monkeypatch.setenv('CUSTOM_MODELS', 'tiny')
    monkeypatch.setenv('CUSTOM_NETWORK_EPOCHS', '3')

    def make(config_name: str, name: str, num_workers: int) -> Config:
        config = Config.fromfile(CONFIGS / f'{config_name}.py')
        fill_num_classes(config)
        config.work_dir = str(tmp_path / name)
        config.experiment_name = f'{tmp_path.name}_{name}'
        loader = config.train_dataloader
        loader.update(
            batch_size=4,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
        )
        seeds = str(partworld_root / 'SegmentationClass')
        loader.dataset.seed_dir = seeds
        if config.train_cfg.get('by_epoch'):
            loader.sampler.epoch_draws = 12
            config.default_hooks.checkpoint.max_keep_ckpts = -1
        else:
            config.train_cfg.max_iters = 5
            config.default_hooks.checkpoint.interval = 2
        config.val_dataloader = config.val_evaluator = config.val_cfg = None
        config.default_hooks.logger.interval = 1
        return config

    return make


class LossRecord(Hook):
    """Exact losses by iteration."""

    def __init__(self) -> None:
        self.losses: dict[int, dict[str, float]] = {}

    def after_train_iter(
        self, runner: Runner, *args: Any, outputs: Any = None, **kwargs: Any
    ) -> None:
        self.losses[runner.iter] = {k: v.item() for k, v in outputs.items()}


@pytest.fixture
def state_of() -> Callable[[Config, str], dict[str, torch.Tensor]]:
    """All weights and statistics in a checkpoint."""

    def read(config: Config, file: str) -> dict[str, torch.Tensor]:
        path = str(Path(config.work_dir) / file)
        return CheckpointLoader.load_checkpoint(path)['state_dict']

    return read


@pytest.fixture
def train() -> Callable[[Config], dict[int, dict[str, float]]]:
    """Train and return the losses of each iteration."""

    def run(config: Config) -> dict[int, dict[str, float]]:
        runner = Runner.from_cfg(config)
        record = LossRecord()
        runner.register_hook(record)
        runner.train()
        return record.losses

    return run


@pytest.fixture
def prompts_of() -> Callable[[Config, str], dict[str, torch.Tensor]]:
    """Contexts in a checkpoint."""

    def read(config: Config, file: str) -> dict[str, torch.Tensor]:
        path = str(Path(config.work_dir) / file)
        state = CheckpointLoader.load_checkpoint(path)['state_dict']
        return {name: state[name] for name in PROMPTS}

    return read
