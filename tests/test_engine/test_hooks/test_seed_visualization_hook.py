# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Strips of CAMs and seeds appear while prompts learn, and change nothing."""

from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader, Runner
from mmseg.registry import HOOKS
from PIL import Image

from mmfmwsss.models.segmentors import CLIPPromptSegmentor
from mmfmwsss.workshop.partworld.small_runs import (
    small_partworld_config,
    write_quarter_masks,
)

CONFIG = Path(__file__).parents[3] / 'configs/fmwsss/partworld_prompt.py'
TENSORBOARD = find_spec('tensorboard') is not None


def train(root: Path, work: Path, **hook: Any) -> dict[str, torch.Tensor]:
    """Train two iterations; the prompts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('PARTWORLD_ROOT', str(root))
        config = small_partworld_config(CONFIG, work)
    write_quarter_masks(root / 'JPEGImages', work / 'sam_masks')
    config.default_hooks.seed_visualization.update(hook)
    config.visualizer.name = str(work)  # one a process has each name
    if TENSORBOARD:
        config.visualizer.vis_backends.append(
            dict(type='TensorboardVisBackend')
        )
    Runner.from_cfg(config).train()
    checkpoint = str(work / 'prompt' / 'iter_2.pth')
    state: dict[str, torch.Tensor] = CheckpointLoader.load_checkpoint(
        checkpoint, map_location='cpu'
    )['state_dict']
    return state


def strips(work: Path) -> list[Path]:
    return sorted(work.glob('prompt/*/vis_data/vis_image/*.png'))


@pytest.mark.slow
def test_draws_without_touching_the_training(
    partworld_root: Path, tmp_path: Path
) -> None:
    drawn = train(partworld_root, tmp_path / 'a', interval=1, images=2)
    found = strips(tmp_path / 'a')
    assert [path.stem for path in found] == [
        'seeds_train_0000_1',
        'seeds_train_0000_2',
        'seeds_train_0005_1',
        'seeds_train_0005_2',
    ]
    picture = np.asarray(Image.open(found[0]))
    assert picture.shape[1] > 4 * 160  # image, a CAM or more, two seeds
    assert picture.std() > 20
    if TENSORBOARD:
        events = next((tmp_path / 'a').glob('prompt/*/vis_data/events.*'))
        assert b'seeds_train_0005' in events.read_bytes()
    plain = train(partworld_root, tmp_path / 'b', images=0)
    assert strips(tmp_path / 'b') == []
    assert plain.keys() == drawn.keys()
    for name, value in plain.items():
        torch.testing.assert_close(value, drawn[name], rtol=0, atol=0)


def test_without_images_training_goes_on(tmp_path: Path) -> None:
    messages: list[str] = []
    runner: Any = SimpleNamespace(
        model=CLIPPromptSegmentor.__new__(CLIPPromptSegmentor),
        cfg=Config(dict(test_dataloader=None)),
        logger=SimpleNamespace(warning=messages.append),
        iter=0,
    )
    missing = dict(
        type='PartWorldImageLabelDataset',
        data_root=str(tmp_path / 'nowhere'),
        test_mode=True,
    )
    for dataset in (missing, None):
        settings = dict(type='SeedVisualizationHook', dataset=dataset)
        hook = HOOKS.build(dict(settings, interval=1))
        hook.before_train(runner)
        hook.after_train_iter(runner, 0)  # has nothing to draw
    assert 'nowhere' in messages[0] and 'test_dataloader' in messages[1]


def test_other_models_are_left_alone() -> None:
    runner: Any = SimpleNamespace(model=torch.nn.Linear(1, 1))
    hook = HOOKS.build(dict(type='SeedVisualizationHook'))
    hook.before_train(runner)
    hook.after_train_iter(runner, 0)


def test_interval_must_be_positive() -> None:
    with pytest.raises(ValueError, match='1 or more iterations, got 0'):
        HOOKS.build(dict(type='SeedVisualizationHook', interval=0))
