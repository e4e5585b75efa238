# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Overlap voting against a loop written from its description."""

import numpy as np
import pytest
import torch

from mmfmwsss.models.seeding.voting import MaskVoting, vote
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError


def slow_vote(seed, masks, a, b):
    """One class, one mask at a time."""
    out = np.zeros_like(seed)
    taken = [False] * len(masks)
    covered = np.zeros(seed.shape, bool)
    for mask in masks:
        covered |= mask
    for k in sorted(set(seed.ravel().tolist()) - {0}):
        region = seed == k
        new = region & ~covered
        for i, mask in enumerate(masks):
            inter = (mask & region).sum()
            if taken[i] or not mask.any():
                continue
            if inter / mask.sum() >= a or inter / region.sum() >= b:
                taken[i] = True
                new = new | mask
        out[new] = k
    return out


@pytest.mark.parametrize('seed', range(12))
def test_equals_slow_loop(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, (3, 4)).repeat(4, 0).repeat(4, 1)
    masks = np.zeros((10, 12, 16), bool)
    for mask in masks:
        y, x = rng.integers(0, 10, 2)
        mask[y : y + rng.integers(0, 8), x : x + rng.integers(0, 8)] = True
    labels = labels.astype(np.uint8)
    a, b = (0.5, 0.85) if seed % 2 else (0.4, 0.65)
    fast = vote(torch.from_numpy(labels), torch.from_numpy(masks), a, b)
    np.testing.assert_array_equal(fast, slow_vote(labels, masks, a, b))


def test_by_hand():
    seed = torch.tensor([[1, 1, 0, 2, 2, 0, 0, 2]], dtype=torch.uint8)
    masks = torch.tensor(
        [
            [[1, 1, 1, 0, 0, 0, 0, 0]],  # 2/3 of it is class 1
            [[0, 0, 1, 1, 1, 1, 0, 0]],  # half of it is class 2
            [[0, 0, 0, 0, 0, 0, 1, 0]],  # nobody's: background
        ]
    ).bool()
    out = vote(seed, masks, 0.5, 0.85)
    assert out.tolist() == [[1, 1, 2, 2, 2, 2, 0, 2]]


def test_region_share_and_first_class_wins():
    seed = torch.tensor([[2, 1, 1, 0, 0, 0, 0, 0]], dtype=torch.uint8)
    masks = torch.ones(1, 1, 8).bool()
    # the mask holds all of both regions; class 1 comes first
    assert (vote(seed, masks, 0.5, 0.85) == 1).all()


def test_limits():
    cams = torch.zeros(2, 4, 4)
    cams[0, :2], cams[1, 2:] = 1, 1
    classes = torch.tensor([3, 8])
    empty = SAMMasks.empty((4, 4))
    voting = MaskVoting()
    seed = voting(cams, classes, empty)
    assert seed[:2].eq(4).all() and seed[2:].eq(9).all()
    assert (voting(cams * 0, classes, empty) == 0).all()
    assert (voting(cams[:0], classes[:0], empty) == 0).all()
    assert torch.equal(voting.refine(cams, empty)[2:], torch.ones(2, 4))
    one = SAMMasks(
        torch.ones(1, 4, 4).bool(),
        torch.zeros(1).long(),
        torch.ones(1),
        torch.ones(1),
    )
    assert (voting(cams, classes, one) == 4).all()
    with pytest.raises(UserInputError, match='needs the masks'):
        voting(cams, classes)


@pytest.mark.parametrize(
    ('shares', 'label'),
    [
        (dict(), 4),  # 6 of 9 pixels are more than half
        (dict(mask_share=0.7), 0),
        (dict(mask_share=0.7, region_share=0.6), 4),  # 6 of 9 of the region
    ],
)
def test_shares_by_hand(shares, label):
    """A mask and a region of 3 x 3 pixels share two columns."""
    cams = torch.zeros(1, 3, 6)
    cams[:, :, :3] = 1
    mask = torch.zeros(1, 3, 6).bool()
    mask[:, :, 1:4] = True
    ones = torch.ones(1)
    masks = SAMMasks(mask, ones.long(), ones, ones)
    seed = MaskVoting(**shares)(cams, torch.tensor([3]), masks)
    assert seed[0].tolist() == [4, label, label, label, 0, 0]


def test_the_defaults_are_those_of_the_method():
    """A mask joins at half its pixels, or at 0.85 of a region, inclusive."""

    def joined(inside, mask_size, region_size):
        cams = torch.zeros(1, 1, 80)
        cams[..., :region_size] = 1
        mask = torch.zeros(1, 1, 80).bool()
        start = region_size - inside
        mask[..., start : start + mask_size] = True
        ones = torch.ones(1)
        masks = SAMMasks(mask, ones.long(), ones, ones)
        seed = MaskVoting()(cams, torch.tensor([3]), masks)
        return bool((seed[mask[0]] == 4).all())

    assert joined(inside=5, mask_size=10, region_size=20)
    assert not joined(inside=5, mask_size=11, region_size=20)
    assert joined(inside=17, mask_size=40, region_size=20)
    assert not joined(inside=16, mask_size=40, region_size=20)


def test_the_seed_that_votes_is_a_plain_argmax():
    cams = torch.tensor([[[10.0, 5.2, 4.8, 0.0]]])
    empty = SAMMasks.empty((1, 4))
    seed = MaskVoting()(cams, torch.tensor([0]), empty)
    assert seed.tolist() == [[1, 1, 0, 0]]
