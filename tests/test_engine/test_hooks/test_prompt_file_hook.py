# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What is published: small, safe to load, refused where it does not fit."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.runner.checkpoint import load_checkpoint
from mmseg.registry import MODELS
from torch import nn

from mmfmwsss.engine.hooks import PromptFileHook
from mmfmwsss.models.segmentors import CLIPPromptSegmentor
from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop.tiny_models import random_clip_arch

READ = """
import sys, torch
found = torch.load(sys.argv[1], weights_only=True)
assert not any(name.startswith(('mm', 'numpy')) for name in sys.modules
               if name.split('.')[0] in ('mmfmwsss', 'mmengine', 'mmseg'))
print(sorted(found), sorted(found['state_dict']))
"""


def model(class_prompts: Any = 'voc12', width: int = 512) -> Any:
    """The prompts of VOC at their real size, on a tiny CLIP."""
    arch = random_clip_arch()
    arch['text_cfg'].update(width=width, heads=8)
    return MODELS.build(
        dict(
            type='CLIPPromptSegmentor',
            clip=dict(type='FrozenCLIP', arch=arch),
            class_prompts=class_prompts,
            streams=dict(
                classification=dict(
                    type='CLIPPromptHead',
                    prompts=dict(type='LearnablePrompts'),
                    loss=dict(type='MultiLabelContrastiveLoss'),
                ),
                segmentation=dict(
                    type='CLIPPromptHead',
                    prompts=dict(
                        type='LearnablePrompts', class_specific=True,
                        name_position='front', nameless_background=True,
                    ),
                    loss=dict(type='CAMActivationLoss'),
                ),
            ),
            caa=dict(type='CAA'),
            routes=dict(
                cam=dict(
                    stream='segmentation', seeder=dict(type='ArgmaxSeeder')
                )
            ),
        )
    )  # fmt: skip


def write(learnt: nn.Module, folder: Path) -> Path:
    runner: Any = SimpleNamespace(model=learnt, work_dir=str(folder))
    checkpoint = dict(
        state_dict=learnt.state_dict(), meta=dict(epoch=3, iter=70)
    )
    PromptFileHook().before_save_checkpoint(runner, checkpoint)
    return folder / 'prompts.pth'


@pytest.fixture(scope='module')
def voc() -> CLIPPromptSegmentor:
    return model()


def test_voc_prompts_are_small_and_load_anywhere(
    voc: CLIPPromptSegmentor, tmp_path: Path
) -> None:
    path = write(voc, tmp_path)
    # 45 x 16 and 16 vectors of 512 numbers
    assert 1_500_000 < path.stat().st_size < 2_000_000
    found = torch.load(path, weights_only=True)
    assert found['meta']['iter'] == 70
    assert len(found['meta']['foreground']) == 20
    assert found['meta']['clip'] == voc.clip.description
    names = found['meta']['dataset_meta']
    assert tuple(names['classes']) == voc.class_prompts.labels
    assert len(names['palette']) == 21
    output = subprocess.run(
        [sys.executable, '-c', READ, str(path)],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert output.startswith("['meta', 'state_dict']")
    assert 'streams.segmentation.prompts.context' in output


def test_they_go_back_into_a_model(
    voc: CLIPPromptSegmentor, tmp_path: Path
) -> None:
    path = write(voc, tmp_path)
    other = model()
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    load_checkpoint(other, str(path), strict=True)
    for name, value in voc.state_dict().items():
        assert torch.equal(other.state_dict()[name], value)
    small = dict(classes=['cat', 'dog'], background=['sky'])
    with pytest.raises(UserInputError, match='names` differs'):
        load_checkpoint(model(small), str(path))


def test_other_models_write_nothing(tmp_path: Path) -> None:
    assert not write(nn.Linear(2, 2), tmp_path).exists()


def test_beside_the_checkpoints_of_a_run(
    prompt_config: Callable[..., Config],
    train: Callable[[Config], Any],
    prompts_of: Callable[[Config, str], dict[str, Any]],
) -> None:
    config = prompt_config('run', iters=3)
    train(config)
    last = prompts_of(config, 'iter_3.pth')
    for name, value in prompts_of(config, 'prompts.pth').items():
        assert torch.equal(value, last[name])


def test_the_averaged_prompts_where_a_run_averages_them(
    prompt_config: Callable[..., Config],
    train: Callable[[Config], Any],
    prompts_of: Callable[[Config, str], dict[str, Any]],
) -> None:
    """EMAHook swaps the average into the checkpoint just before it is saved.

    As a custom hook it is registered after the default ones.
    """
    average = dict(type='EMAHook', momentum=0.5)
    config = prompt_config('average', iters=3, custom_hooks=[average])
    train(config)
    path = str(Path(config.work_dir) / 'iter_3.pth')
    learnt = torch.load(path, weights_only=False)
    published = prompts_of(config, 'prompts.pth')
    for name, value in published.items():
        assert torch.equal(value, learnt['state_dict'][name])
        kept = learnt['ema_state_dict'][f'module.{name}']
        assert not torch.equal(value, kept)
