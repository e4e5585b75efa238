# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A new seeder implements one method; all else is checked for it."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mmfmwsss.models.seeding import (
    SAMS,
    ArgmaxSeeder,
    BaseSeeder,
    DenseCRF,
    MaskVoting,
    PixelScoreSeeder,
    best_label,
)
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError


class SmoothSeeder(PixelScoreSeeder):
    """Average the scores over a window, then take the best class."""

    def __init__(self, window: int = 3, **options) -> None:
        super().__init__(**options)
        self.window = window

    def _label(self, scores, labels, masks, image) -> Tensor:
        smooth = F.avg_pool2d(
            scores[None], self.window, stride=1, padding=self.window // 2
        )[0]
        return best_label(smooth, labels)


class SeeingSeeder(BaseSeeder):
    """Record what a seeder is shown."""

    def _seed(self, cams, labels, masks, image) -> Tensor:
        self.shown = (cams, labels, masks, image)
        return torch.zeros(cams.shape[1:], dtype=torch.uint8)

    def _refine(self, scores, labels, masks, image) -> Tensor:
        return self._seed(scores, labels, masks, image)


def test_one_method_makes_seeds_and_refines():
    cams = torch.zeros(1, 5, 6)
    cams[0, :, 3:] = 1
    cams[0, 2, 0] = 1  # a speck
    seed = SmoothSeeder()(cams, torch.tensor([6]))
    assert seed.dtype == torch.uint8
    assert (seed[:, :2] == 0).all() and (seed[1:-1, 4] == 7).all()
    refined = SmoothSeeder().refine(torch.cat([1 - cams, cams]))
    assert torch.equal(refined, (seed > 0).to(torch.uint8))
    with pytest.raises(UserInputError, match='SmoothSeeder expected one cla'):
        SmoothSeeder()(cams, torch.tensor([6, 7]))


@pytest.mark.parametrize(
    ('official', 'classes'), [(False, [1, 4, 9]), (True, [9, 1, 4])]
)
def test_classes_are_sorted_but_officially(official, classes):
    seeder = SeeingSeeder()
    seeder.official = official
    given = torch.tensor([9, 1, 4])
    seeder(given[:, None, None].float().expand(-1, 2, 3), given)
    cams, labels, _, _ = seeder.shown
    assert labels.tolist() == [0, *(index + 1 for index in classes)]
    assert cams[:, 0, 0].tolist() == classes


def test_is_shown_only_what_it_needs():
    maps, classes = torch.rand(1, 2, 3), torch.tensor([0])
    ones = torch.ones(1)
    masks = SAMMasks(torch.ones(1, 2, 3) > 0, ones.long(), ones, ones)
    image = torch.ones(2, 3, 3, dtype=torch.uint8)
    seeder = SeeingSeeder()
    seeder(maps, classes, masks, image)
    assert len(seeder.shown[2]) == 0 and seeder.shown[3].numel() == 0
    seeder.needs_masks = seeder.needs_image = True
    seeder.refine(maps, masks, image)
    assert seeder.shown[1].tolist() == [0]
    assert len(seeder.shown[2]) == 1 and torch.equal(seeder.shown[3], image)
    with pytest.raises(UserInputError, match='needs the masks'):
        seeder(maps, classes, None, image)
    with pytest.raises(UserInputError, match='needs the RGB image'):
        seeder.refine(maps, masks)


@pytest.mark.parametrize(
    'seeder',
    [SAMS(), MaskVoting(), ArgmaxSeeder(), DenseCRF(backend='torch')],
    ids=lambda seeder: type(seeder).__name__,
)
def test_mixed_precision_changes_no_seed(seeder):
    generator = torch.Generator().manual_seed(0)
    cams = torch.randn(2, 9, 12, generator=generator)
    masks = torch.rand(5, 9, 12, generator=generator) > 0.5
    image = torch.randint(256, (9, 12, 3), generator=generator).byte()
    scores = torch.rand(3, 9, 12, generator=generator).softmax(0)
    seed = seeder(cams, [0, 1], masks, image)
    refined = seeder.refine(scores, masks, image)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(seeder(cams, [0, 1], masks, image), seed)
        assert torch.equal(seeder.refine(scores, masks, image), refined)
