# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A config that was written to a file predicts what the original does."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from PIL import Image

from mmfmwsss.models.segmentors import CLIPPromptSegmentor
from mmfmwsss.structures import SAMMasks
from mmfmwsss.workshop.tiny_models import random_clip_arch

CONFIGS = Path(__file__).parents[3] / 'configs' / 'fmwsss'
SIZE = (24, 32)


def seed_configs() -> list[Path]:
    """Configs that name routes themselves; the others inherit them."""
    paths = sorted(CONFIGS.rglob('*.py'))
    return [path for path in paths if 'routes=' in path.read_text()]


def build(config: Config) -> CLIPPromptSegmentor:
    """The model with a small random CLIP and learnt prompts."""
    config = config.copy()
    arch = random_clip_arch()
    config.model.clip = dict(type='FrozenCLIP', arch=arch)
    torch.manual_seed(0)
    model = MODELS.build(config.model).eval()
    generator = torch.Generator().manual_seed(1)
    for name, parameter in sorted(model.named_parameters()):
        assert name.endswith('context')
        parameter.data = torch.randn(parameter.shape, generator=generator)
    return model


def one_image(folder: Path, classes: int) -> dict[str, Any]:
    """A photo, its first and last class, and masks."""
    pixels = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    Image.fromarray(pixels).save(folder / 'a.png')
    sample = SegDataSample()
    sample.set_metainfo(
        dict(img_path=str(folder / 'a.png'), ori_shape=SIZE, img_shape=SIZE)
    )
    sample.image_labels = torch.zeros(classes, dtype=torch.bool)
    sample.image_labels[[0, -1]] = True
    masks = torch.zeros(3, *SIZE, dtype=torch.bool)
    masks[0, :9], masks[1, 9:16], masks[2, 16:, 20:] = True, True, True
    sample.sam_masks = SAMMasks(
        masks, torch.tensor([2, 2, 1]), torch.ones(3), torch.ones(3)
    )
    image = torch.from_numpy(pixels).permute(2, 0, 1)
    return dict(inputs=[image], data_samples=[sample])


@pytest.mark.parametrize('path', seed_configs(), ids=lambda path: path.stem)
def test_predicts_the_same_when_dumped_and_read(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ('plain', 'more_whole', 'nms_priority', 'no_filter'):
        folder = tmp_path / f'masks_{name}'
        masks = one_image(tmp_path, 2)['data_samples'][0].sam_masks
        masks.save(folder / 'a.json', 'settings')
    monkeypatch.setenv('ABLATION_ROOT', str(tmp_path))
    original = Config.fromfile(path)
    original.dump(tmp_path / 'dumped.py')
    dumped = Config.fromfile(tmp_path / 'dumped.py')
    samples = []
    for config in (original, dumped):
        model = build(config)
        classes = len(model.class_prompts.foreground)
        data = one_image(tmp_path, classes)
        samples.append(model.test_step(data)[0])
    ours, theirs = samples
    assert set(ours.keys()) == set(theirs.keys())
    assert set(ours.keys()) >= set(model.routes)
    for name in set(model.routes) | {'pred_sem_seg'} & set(ours.keys()):
        assert torch.equal(ours.get(name).data, theirs.get(name).data), name
    if model.routes:
        main = ours.get(original.model.get('main_route') or min(model.routes))
        assert torch.equal(ours.pred_sem_seg.data, main.data)
