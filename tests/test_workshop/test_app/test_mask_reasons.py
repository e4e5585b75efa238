# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The reason of a class, worked by hand."""

import pytest
import torch

from mmfmwsss.apis.seed_one_photo import PhotoSeed
from mmfmwsss.models.seeding import SAMS
from mmfmwsss.structures import SAMMasks
from mmfmwsss.workshop.app import reason_at
from mmfmwsss.workshop.app.page_texts import reason_html


@pytest.fixture
def result() -> PhotoSeed:
    """2 x 4 pixels; a sub-part on the left, a whole on columns 0 to 2."""
    masks = torch.zeros(3, 2, 4, dtype=torch.bool)
    masks[0, :, 0] = True
    masks[1, :, :3] = True
    masks[2, 0, 1] = True
    sam_masks = SAMMasks(
        masks, torch.tensor([0, 2, 0]), torch.ones(3), torch.ones(3)
    )
    row = torch.tensor([[0.8, 0.2, 0.2, -1.0]])
    cams = torch.stack([row.expand(2, 4), row.flip(1).expand(2, 4)])
    sams = SAMS(alpha=0.5)
    return PhotoSeed(
        tags=('cat', '<b>'),
        scores={},
        cams=cams,
        masks=sam_masks,
        decisions=sams.decide(cams, sam_masks),
        seed=sams(cams, torch.arange(2), sam_masks),
    )


def test_numbers_of_equations_8_to_10(result: PhotoSeed) -> None:
    """Means of cat: 0.8, 0.4, 0.2. Means of the other: 0, 0.4 / 3, 0.2."""
    reason = reason_at(result, (0, 1), 0.5)
    assert (reason.index, reason.level, reason.winner) == (1, 'whole', '<b>')
    cat, other = reason.tags
    assert (cat.mean, cat.least, cat.most) == pytest.approx((0.4, 0.2, 0.8))
    assert cat.score == pytest.approx(1 / 3)
    assert other.mean == pytest.approx(0.4 / 3)
    assert other.score == pytest.approx(2 / 3)
    assert reason.background == pytest.approx((1 / 3) ** 0.5)
    assert reason.confidence == pytest.approx(2 / 3)
    assert reason.below == ('subpart 0: cat',)
    assert reason.share == pytest.approx(6 / 8)


def test_every_point_agrees_with_the_seed(result: PhotoSeed) -> None:
    names = ['background', *result.tags]
    for y in range(2):
        for x in range(4):
            reason = reason_at(result, (x, y), 0.5)
            winner = 'background' if reason is None else reason.winner
            assert winner == names[int(result.seed[y, x])]


@pytest.mark.parametrize('point', [(3, 0), (4, 0), (0, 2), (-1, 0)])
def test_there_may_be_no_mask(
    result: PhotoSeed, point: tuple[int, int]
) -> None:
    assert reason_at(result, point, 0.5) is None
    assert 'No mask' in reason_html(None)


def test_names_are_escaped(result: PhotoSeed) -> None:
    page = reason_html(reason_at(result, (0, 0), 0.5))
    assert '<b>&lt;b&gt;</b>' in page  # bold, for it wins
    assert '0.667' in page and '0.333' in page
