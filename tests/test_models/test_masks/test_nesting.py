# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
import torch

from mmfmwsss.models.masks import levels_by_nesting
from mmfmwsss.structures import SAMMasks


def rows(*spans):
    """Masks of a picture of one row, from first to last pixel."""
    masks = torch.zeros(len(spans), 1, 20, dtype=torch.bool)
    for mask, (first, last) in zip(masks, spans, strict=True):
        mask[0, first:last] = True
    count = len(spans)
    return SAMMasks(
        masks, torch.ones(count).long(), torch.ones(count), torch.ones(count)
    )


def test_by_hand():
    masks = rows((1, 3), (0, 12), (0, 5), (1, 2), (8, 18), (11, 18))
    # 1-3 in 0-5 in 0-12; 1-2 deeper still; 8-18 on its own, with 11-18 in it
    assert levels_by_nesting(masks).tolist() == [0, 2, 1, 0, 2, 1]


def test_share():
    masks = rows((0, 10), (1, 11))
    assert levels_by_nesting(masks, share=0.9).tolist() == [2, 1]
    assert levels_by_nesting(masks, share=0.91).tolist() == [2, 2]


def test_limits():
    assert levels_by_nesting(rows()).tolist() == []
    assert levels_by_nesting(rows((3, 3), (0, 5))).tolist() == [2, 2]


def test_invariant_to_order():
    masks = rows((1, 3), (0, 12), (0, 5), (1, 2), (8, 18), (11, 18))
    levels = levels_by_nesting(masks)
    for seed in range(5):
        shuffle = torch.randperm(
            6, generator=torch.Generator().manual_seed(seed)
        )
        shuffled = levels_by_nesting(masks.filter(shuffle))
        assert torch.equal(shuffled, levels[shuffle])
