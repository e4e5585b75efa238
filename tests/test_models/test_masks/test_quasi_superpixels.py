# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
import pytest
import torch

from mmfmwsss.models.masks import filter_by_occupation
from mmfmwsss.structures import SAMMasks


def as_masks(masks, levels):
    ones = torch.ones(len(levels))
    return SAMMasks(masks, torch.tensor(levels), ones, ones)


def slow_filter(masks, threshold):
    """Section 4.2 read aloud: indices of the selected masks."""
    selected: list[int] = []
    for level in (2, 1, 0):
        added = []
        for number in range(len(masks)):
            if int(masks.levels[number]) != level:
                continue
            area = int(masks.masks[number].sum())
            shares = [
                int((masks.masks[number] & masks.masks[other]).sum()) / area
                for other in selected
            ]
            if level == 2 or all(share < threshold for share in shares):
                added.append(number)
        selected += added
    return sorted(selected)


def test_by_hand():
    row = torch.zeros(5, 1, 10, dtype=torch.bool)
    row[0, :, :6] = True  # whole
    row[1, :, 5:10] = True  # part, a fifth of it taken
    row[2, :, 4:8] = True  # part, half of it taken
    row[3, :, 6:9] = True  # sub-part, taken by the kept part
    row[4, :, 9:] = True  # sub-part, likewise
    levels = [2, 1, 1, 0, 0]
    kept = filter_by_occupation(as_masks(row, levels), 0.3)
    assert kept.levels.tolist() == [2, 1]
    assert torch.equal(kept.masks, row[:2])


def test_the_largest_single_share_counts_not_the_union():
    row = torch.zeros(3, 1, 10, dtype=torch.bool)
    row[0, :, :2] = True
    row[1, :, 8:] = True
    row[2] = True  # a fifth under each whole, two fifths together
    kept = filter_by_occupation(as_masks(row, [2, 2, 1]), 0.3)
    assert len(kept) == 3


def test_no_competition_within_a_level_and_the_share_is_exclusive():
    row = torch.ones(3, 1, 10, dtype=torch.bool)
    assert len(filter_by_occupation(as_masks(row, [1, 1, 1]))) == 3
    row[0, :, 3:] = False
    assert len(filter_by_occupation(as_masks(row, [2, 1, 1]), 0.3)) == 1
    assert len(filter_by_occupation(as_masks(row, [2, 1, 1]), 0.31)) == 3


def test_the_default_share_is_the_papers():
    row = torch.zeros(3, 1, 10, dtype=torch.bool)
    row[0, :, :3] = True
    row[1] = True  # three tenths of it taken
    row[2, :, 1:9] = True  # a quarter of it taken
    kept = filter_by_occupation(as_masks(row, [2, 1, 1]))
    assert torch.equal(kept.masks, row[[0, 2]])


@pytest.mark.parametrize('seed', range(8))
@pytest.mark.parametrize('threshold', [0.0, 0.3, 0.6, 1.0])
def test_is_the_slow_loop(seed, threshold):
    generator = torch.Generator().manual_seed(seed)
    masks = torch.zeros(25, 16, 16, dtype=torch.bool)
    for mask in masks:
        y, x = torch.randint(0, 12, (2,), generator=generator).tolist()
        h, w = torch.randint(1, 9, (2,), generator=generator).tolist()
        mask[y : y + h, x : x + w] = True
    levels = torch.randint(3, (25,), generator=generator).tolist()
    every = as_masks(masks, levels)
    kept = filter_by_occupation(every, threshold)
    expected = every.filter(torch.tensor(slow_filter(every, threshold)).long())
    assert torch.equal(kept.masks, expected.masks)
    assert torch.equal(kept.levels, expected.levels)


def test_no_masks_and_empty_masks():
    assert len(filter_by_occupation(SAMMasks.empty((4, 4)))) == 0
    nothing = torch.zeros(2, 4, 4, dtype=torch.bool)
    assert len(filter_by_occupation(as_masks(nothing, [2, 0]))) == 2
