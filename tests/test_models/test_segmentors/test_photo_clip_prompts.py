# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The whole prompt model on the CLIP for photos, by its config."""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmfmwsss.models.clip.trunk_cache import CacheShape, TrunkCache
from mmfmwsss.models.segmentors import CLIPPromptSegmentor
from mmfmwsss.structures.draw import Draw

CONFIG = Path(__file__).parents[3] / 'configs/fmwsss/custom_prompt.py'
ARGMAX = dict(type='ArgmaxSeeder')  # needs no masks
SIZE = (64, 96)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> CLIPPromptSegmentor:
    """With random weights, but the streams and routes of the config."""
    monkeypatch.setenv('CUSTOM_MODELS', 'photo')
    torch.manual_seed(0)
    model = Config.fromfile(CONFIG).model
    model.clip.checkpoint = None
    assert model.data_preprocessor.mean == [127.0] * 3
    model.class_prompts = dict(classes=['cat', 'dog'], background=['sea'])
    model.training_route.seeder = ARGMAX
    model.routes.fine_seed.seeder = ARGMAX
    return MODELS.build(model)


def batch(draws: list[Draw]) -> dict[str, list[Any]]:
    generator = torch.Generator().manual_seed(0)
    samples = []
    for draw, labels in zip(draws, ([True, True], [False, True]), strict=True):
        sample = SegDataSample(
            metainfo=dict(ori_shape=SIZE, img_shape=SIZE, sample_idx=draw)
        )
        sample.image_labels = torch.tensor(labels)
        samples.append(sample)
    images = torch.randint(0, 255, (2, 3, *SIZE), generator=generator)
    return dict(inputs=list(images.to(torch.uint8)), data_samples=samples)


def losses_of(model: CLIPPromptSegmentor) -> dict[str, torch.Tensor]:
    data = model.data_preprocessor(batch([Draw(0, view=0), Draw(1, view=0)]))
    losses: dict[str, torch.Tensor] = model(**data, mode='loss')
    return losses


def test_both_losses_train_the_prompts(model: CLIPPromptSegmentor) -> None:
    losses = losses_of(model)
    assert len(losses) >= 2
    torch.stack(
        [v for v in losses.values() if v.requires_grad]
    ).sum().backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad.abs().sum() > 0, name
    assert not any(name.startswith('clip') for name in model.state_dict())


def test_losses_from_the_trunk_cache_are_the_same(
    model: CLIPPromptSegmentor, tmp_path: Path
) -> None:
    expected = losses_of(model)
    shape = CacheShape(
        images=2, views=1, grid=(4, 6), width=256, attention=True,
        dtype='float32',
    )  # fmt: skip
    model.use_trunk_cache(
        TrunkCache(tmp_path / 'cache', shape, dict(clip='a'))
    )
    for _ in range(2):  # written, then read
        found = losses_of(model)
        for name, value in expected.items():
            torch.testing.assert_close(found[name], value)


def test_seeds_hold_present_classes_only(model: CLIPPromptSegmentor) -> None:
    model.eval()
    samples = model.test_step(batch([Draw(0, view=0), Draw(1, view=0)]))
    seeds = [sample.fine_seed.data for sample in samples]
    assert [tuple(seed.shape) for seed in seeds] == [(1, *SIZE)] * 2
    assert {*seeds[0].unique().tolist()} <= {0, 1, 2}
    assert {*seeds[1].unique().tolist()} <= {0, 2}
