# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Painting by hand, against a loop over masks, and what is never painted."""

import pytest
import torch

from mmfmwsss.models.seeding import paint, paint_order, top_rank
from mmfmwsss.structures import SAMMasks


def make_masks(masks: torch.Tensor, levels: list[int]) -> SAMMasks:
    ones = torch.ones(len(levels))
    return SAMMasks(masks.bool(), torch.tensor(levels), ones, ones)


def test_paint_order_is_stable() -> None:
    levels = torch.tensor([2, 0, 2, 2, 1])
    confidence = torch.tensor([0.5, 0.9, 0.5, 0.1, 0.0])
    assert paint_order(levels, confidence).tolist() == [1, 4, 3, 0, 2]


@pytest.mark.parametrize('count', [0, 1, 20, 255, 256, 300])
def test_top_rank_against_loop(count: int) -> None:
    masks = torch.rand(count, 4, 7) > 0.7
    order = torch.randperm(count)
    expected = torch.zeros(4, 7).long()
    for rank, index in enumerate(order.tolist()):
        expected[masks[index]] = rank + 1
    assert torch.equal(top_rank(masks, order), expected)


def test_paint_by_hand() -> None:
    # A sure part lies under an unsure whole; background hides it too
    masks = make_masks(
        torch.tensor([[[1, 1, 0, 0]], [[0, 1, 1, 0]], [[1, 0, 0, 0]]]),
        [1, 2, 2],
    )
    labels = torch.tensor([5, 7, 0], dtype=torch.uint8)
    confidence = torch.tensor([0.9, 0.2, 0.1])
    assert paint(masks, labels, confidence).tolist() == [[0, 7, 7, 0]]
    uncovered = torch.tensor([[3, 3, 3, 3]])
    painted = paint(masks, labels, confidence, uncovered)
    assert painted.tolist() == [[0, 7, 7, 3]] and painted.dtype == torch.uint8


def test_the_order_of_masks_that_differ_does_not_matter() -> None:
    generator = torch.Generator().manual_seed(0)
    masks = torch.rand(9, 6, 8, generator=generator) > 0.6
    levels = torch.randint(0, 3, (9,), generator=generator)
    labels = torch.arange(9, dtype=torch.uint8)
    confidence = torch.rand(9, generator=generator)
    first = paint(make_masks(masks, levels.tolist()), labels, confidence)
    turn = torch.randperm(9, generator=generator)
    turned = make_masks(masks[turn], levels[turn].tolist())
    assert torch.equal(paint(turned, labels[turn], confidence[turn]), first)
