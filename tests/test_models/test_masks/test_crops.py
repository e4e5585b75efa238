# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
import numpy as np
import pytest
from segment_anything.utils import amg

from mmfmwsss.models.masks.crops import crop_boxes, point_grid


def test_point_grid_by_hand():
    points = point_grid(2).tolist()
    assert points == [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]


@pytest.mark.parametrize('per_side', [1, 7, 16, 32])
def test_point_grid_is_segment_anythings(per_side):
    np.testing.assert_array_equal(
        point_grid(per_side).numpy(), amg.build_point_grid(per_side)
    )


def test_no_crop_is_without_a_pixel():
    assert crop_boxes((1, 1), 1, 512 / 1500) == [
        ((0, 0, 1, 1), 0),
        ((0, 0, 1, 1), 1),
    ]
    for size in ((1, 9), (3, 3), (2, 700)):
        for (x0, y0, x1, y1), _ in crop_boxes(size, 2, 512 / 1500):
            assert 0 <= x0 < x1 <= size[1] and 0 <= y0 < y1 <= size[0]


@pytest.mark.parametrize('size', [(375, 500), (500, 333), (112, 112), (9, 9)])
@pytest.mark.parametrize('layers', [0, 1, 2])
def test_crop_boxes_are_segment_anythings(size, layers):
    boxes, numbers = amg.generate_crop_boxes(size, layers, 512 / 1500)
    ours = crop_boxes(size, layers, 512 / 1500)
    assert [list(box) for box, _ in ours] == boxes
    assert [layer for _, layer in ours] == numbers
