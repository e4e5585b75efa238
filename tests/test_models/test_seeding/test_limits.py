# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What each seeder does where there is little to decide.

The picture is dark on the left and bright on the right, 8 x 12 pixels; class
4 (label 5) lives in the right half, class 1 (label 2) in the left one.
"""

import pytest
import torch

from mmfmwsss.models.seeding import SAMS, ArgmaxSeeder, DenseCRF, MaskVoting
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError

SIZE = (8, 12)
LEFT = torch.zeros(SIZE, dtype=torch.bool)
LEFT[:, :6] = True
RIGHT = ~LEFT
IMAGE = (
    torch.where(RIGHT[..., None], 220, 20).to(torch.uint8).expand(-1, -1, 3)
)
SEEDERS = dict(
    sams=SAMS(),
    voting=MaskVoting(),
    crf=DenseCRF(backend='torch'),
    argmax=ArgmaxSeeder(),
)
ALL = pytest.mark.parametrize('seeder', SEEDERS.values(), ids=SEEDERS)
WITH_MASKS = pytest.mark.parametrize(
    'seeder', [SEEDERS['sams'], SEEDERS['voting']], ids=['sams', 'voting']
)


def masks_of(*masks):
    count = len(masks)
    stacked = torch.stack(masks) if masks else torch.zeros(0, *SIZE).bool()
    return SAMMasks(
        stacked, torch.full((count,), 2), torch.ones(count), torch.ones(count)
    )


HALVES = masks_of(LEFT, RIGHT)


def run(seeder, cams, classes, masks=HALVES):
    seed = seeder(cams, torch.tensor(classes).long(), masks, IMAGE)
    assert seed.dtype == torch.uint8
    assert tuple(seed.shape) == SIZE
    return seed


def expected(left, right):
    return torch.where(LEFT, left, right).to(torch.uint8)


@ALL
def test_two_classes(seeder):
    cams = torch.stack([RIGHT, LEFT]).float()
    assert torch.equal(run(seeder, cams, [4, 1]), expected(2, 5))


@ALL
def test_one_class(seeder):
    assert torch.equal(run(seeder, RIGHT[None].float(), [4]), expected(0, 5))


@ALL
def test_no_class_is_background(seeder):
    assert (run(seeder, torch.zeros(0, *SIZE), []) == 0).all()


@ALL
@pytest.mark.parametrize('height', [0.0, -3.0])
def test_a_class_without_activation_gets_nothing(seeder, height):
    """A labelled class that the CAM does not see; the other is as alone."""
    cams = torch.stack([torch.full(SIZE, height), RIGHT.float()])
    seed = run(seeder, cams, [1, 4])
    assert torch.equal(seed, run(seeder, cams[1:], [4]))
    assert torch.equal(seed, expected(0, 5))


@ALL
def test_no_activation_at_all_is_background(seeder):
    assert (run(seeder, torch.zeros(2, *SIZE), [1, 4]) == 0).all()


@ALL
def test_equal_activation_everywhere_is_the_object(seeder):
    """Every place is as active as the most active one."""
    assert (run(seeder, torch.full((1, *SIZE), 0.3), [4]) == 5).all()


@ALL
@pytest.mark.parametrize('classes', [[4, 1], [1, 4]])
def test_equal_classes_go_to_the_lowest(seeder, classes):
    cams = RIGHT.float().expand(2, -1, -1)
    assert torch.equal(run(seeder, cams, classes), expected(0, 2))


def test_no_masks():
    cams = RIGHT[None].float()
    empty = SAMMasks.empty(SIZE)
    # SAMS: what no mask covers is background. Voting: it stays as it was.
    assert (run(SEEDERS['sams'], cams, [4], empty) == 0).all()
    seed = run(SEEDERS['voting'], cams, [4], empty)
    assert torch.equal(seed, expected(0, 5))


@WITH_MASKS
def test_one_mask(seeder):
    cams = RIGHT[None].float()
    seed = run(seeder, cams, [4], masks_of(RIGHT))
    assert torch.equal(seed, expected(0, 5))


@WITH_MASKS
def test_a_mask_without_pixels_changes_nothing(seeder):
    cams = RIGHT[None].float()
    nothing = torch.zeros(SIZE, dtype=torch.bool)
    seed = run(seeder, cams, [4], masks_of(LEFT, nothing, RIGHT))
    assert torch.equal(seed, expected(0, 5))


@WITH_MASKS
def test_equal_masks(seeder):
    cams = RIGHT[None].float()
    seed = run(seeder, cams, [4], masks_of(RIGHT, RIGHT, RIGHT))
    assert torch.equal(seed, expected(0, 5))


def test_official_of_sams_is_the_official_code_where_it_is_at_fault():
    """One mask, equal scores: all background. No masks: it stops."""
    cams = RIGHT[None].float()
    sams = SAMS(official=True)
    assert (run(sams, cams, [4], masks_of(RIGHT)) == 0).all()
    assert (run(sams, cams, [4], masks_of(RIGHT, RIGHT)) == 0).all()
    assert (run(sams, torch.full((1, *SIZE), 0.3), [4]) == 0).all()
    with pytest.raises(UserInputError, match='without masks'):
        run(sams, cams, [4], SAMMasks.empty(SIZE))
    # Elsewhere it agrees.
    assert torch.equal(run(sams, cams, [4]), expected(0, 5))
