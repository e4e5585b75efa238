# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
import pytest
import torch

from mmfmwsss.models.masks.point_rounds import covered_points, point_rounds


@pytest.mark.parametrize('side', [1, 2, 3, 5, 8, 12, 16, 32, 33])
def test_each_point_is_in_one_round(side):
    rounds = point_rounds(side)
    numbers = torch.cat(rounds)
    assert numbers.sort().values.tolist() == list(range(side**2))
    # No round but the last, which takes the rest, is larger than the next.
    sizes = [len(numbers) for numbers in rounds]
    assert sizes[:-1] == sorted(sizes[:-1])
    assert sizes[0] <= 9


def test_four_points_a_side_by_hand():
    """The middle of each block of 2 x 2 first, then all others."""
    first, rest = point_rounds(4)
    assert first.tolist() == [5, 7, 13, 15]
    assert rest.tolist() == [0, 1, 2, 3, 4, 6, 8, 9, 10, 11, 12, 14]


def test_covered_points_by_hand():
    masks = torch.zeros(2, 3, 4, dtype=torch.bool)
    masks[0, 0, 3] = masks[1, 2, 1] = True
    # x, y: on the first mask, on the second, on none
    places = torch.tensor([[3, 0], [1, 2], [0, 2]])
    assert covered_points(masks, places).tolist() == [True, True, False]
    assert not covered_points(masks[:0], places).any()
