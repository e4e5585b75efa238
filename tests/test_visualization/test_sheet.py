# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Colours land where the maps say."""

import numpy as np
import pytest
import torch

from mmfmwsss.structures import SAMMasks
from mmfmwsss.visualization import (
    overlay_cam,
    paint_labels,
    paint_masks,
    picture_sheet,
)

IMAGE = np.full((4, 6, 3), 100, np.uint8)


def test_paint_labels() -> None:
    labels = np.zeros((4, 6), np.uint8)
    labels[0, 0], labels[1, 1] = 1, 255
    painted = paint_labels(IMAGE, labels, [[0, 0, 0], [200, 0, 0]], 0.5)
    assert painted[0, 0].tolist() == [150, 50, 50]
    assert painted[1, 1].tolist() == painted[2, 2].tolist() == [60, 60, 60]


def test_overlay_cam_is_red_where_it_is_high() -> None:
    cam = np.full((4, 6), -1.0)
    cam[2, 3] = 0.5
    painted = overlay_cam(IMAGE, cam)
    red, _, blue = painted[2, 3].astype(int)
    assert red > blue
    red, _, blue = painted[0, 0].astype(int)
    assert blue > red


def test_paint_masks_shows_one_level() -> None:
    masks = torch.zeros(2, 4, 6, dtype=torch.bool)
    masks[0, :2], masks[1, 2:] = True, True
    levels = torch.tensor([2, 1])
    sam_masks = SAMMasks(masks, levels, torch.ones(2), torch.ones(2))
    painted = paint_masks(IMAGE, sam_masks, level=2)
    assert (painted[2:] == 35).all()
    assert (painted[:2] != 35).any(axis=2).all()


def test_picture_sheet() -> None:
    sheet = picture_sheet([[IMAGE, IMAGE]] * 3, ['a', 'b'], ['x', 'y', 'z'])
    assert sheet.dtype == np.uint8
    assert (sheet == 100).all(axis=2).sum() == 6 * 140 * 93  # 4 x 6 fitted
    with pytest.raises(ValueError, match='2 pictures in row 0.*got 1'):
        picture_sheet([[IMAGE]], ['a', 'b'], ['x'])
