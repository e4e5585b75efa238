# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Colours land where the maps say."""

import numpy as np
import pytest
import torch

from mmfmwsss.structures import SAMMasks
from mmfmwsss.visualization import (
    ERROR_COLOURS,
    label_borders,
    overlay_cam,
    paint_errors,
    paint_labels,
    paint_masks,
)
from mmfmwsss.visualization.error_kinds import WRONG_CLASS

IMAGE = np.full((4, 6, 3), 100, np.uint8)


def test_paint_labels() -> None:
    labels = np.zeros((4, 6), np.uint8)
    labels[0, 0], labels[1, 1] = 1, 255
    painted = paint_labels(IMAGE, labels, [[0, 0, 0], [200, 0, 0]], 0.5)
    assert painted[0, 0].tolist() == [150, 50, 50]
    assert painted[1, 1].tolist() == painted[2, 2].tolist() == [60, 60, 60]


def test_borders_lie_where_labels_meet() -> None:
    labels = np.zeros((3, 4), np.uint8)
    labels[:2, :2] = 1
    assert label_borders(labels).astype(int).tolist() == [
        [0, 1, 0, 0],
        [1, 1, 0, 0],
        [0, 0, 0, 0],
    ]
    painted = paint_labels(
        IMAGE[:3, :4], labels, [[0, 0, 0], [9, 9, 9]], borders=True
    )
    assert (painted == 255).all(2).tolist() == label_borders(labels).tolist()


def test_overlay_cam_is_red_where_it_is_high() -> None:
    cam = np.full((4, 6), -1.0)
    cam[2, 3] = 0.5
    painted = overlay_cam(IMAGE, cam)
    red, _, blue = painted[2, 3].astype(int)
    assert red > blue
    red, _, blue = painted[0, 0].astype(int)
    assert blue > red


def test_overlay_cam_clamps_as_the_seeders_do() -> None:
    rng = np.random.default_rng(0)
    cam = rng.normal(size=(4, 6))
    clamped = np.clip(cam, 0, None)
    assert (overlay_cam(IMAGE, cam) == overlay_cam(IMAGE, clamped)).all()
    assert (overlay_cam(IMAGE, 3 * cam) == overlay_cam(IMAGE, cam)).all()


def test_peak_makes_maps_comparable() -> None:
    weak = np.zeros((4, 6))
    weak[0, 0] = 0.1
    strong = 10 * weak
    own = overlay_cam(IMAGE, weak), overlay_cam(IMAGE, strong)
    assert (own[0] == own[1]).all()
    shared = [overlay_cam(IMAGE, c, peak=1.0) for c in (weak, strong)]
    assert (shared[0][0, 0] != shared[1][0, 0]).any()
    assert (shared[1] == own[1]).all()


def test_signed_map_tells_for_from_against() -> None:
    cam = np.zeros((4, 6))
    cam[0, 0], cam[1, 1], cam[2, 2] = 2.0, -2.0, -1.0
    painted = overlay_cam(IMAGE, cam, signed=True).astype(int)
    assert painted[3, 5].tolist() == [100, 100, 100]
    assert painted[0, 0, 0] > painted[0, 0, 2]
    assert painted[1, 1, 2] > painted[1, 1, 0]
    assert painted[1, 1, 2] > painted[2, 2, 2] > 100
    assert (overlay_cam(IMAGE, 0 * cam, signed=True) == IMAGE).all()


def test_errors_have_their_colour() -> None:
    truth = np.zeros((4, 6), np.uint8)
    truth[0], truth[3] = 1, 255
    labels = truth.copy()
    labels[0, :2] = 2
    painted = paint_errors(IMAGE, labels, truth, opacity=1.0)
    assert painted[0, 0].tolist() == list(ERROR_COLOURS[WRONG_CLASS])
    assert (painted[3] == 255).all()
    assert (painted[1:3] == 70).all()
    assert (painted[0, 2:] == 70).all()


def test_paint_masks_shows_one_level_or_all() -> None:
    masks = torch.zeros(2, 4, 6, dtype=torch.bool)
    masks[0, :2], masks[1, 2:] = True, True
    levels = torch.tensor([2, 1])
    sam_masks = SAMMasks(masks, levels, torch.ones(2), torch.ones(2))
    painted = paint_masks(IMAGE, sam_masks, level=2)
    assert (painted[2:] == 35).all()
    assert (painted[:2] != 35).any(axis=2).all()
    every = paint_masks(IMAGE, sam_masks)
    assert (every[:2] == painted[:2]).all()
    assert (every[2:] != 35).any(axis=2).all()


@pytest.mark.parametrize(
    'paint',
    [
        lambda wrong: overlay_cam(IMAGE, wrong.astype(float)),
        lambda wrong: paint_labels(IMAGE, wrong, [[0, 0, 0]]),
        lambda wrong: paint_errors(IMAGE, wrong, wrong),
    ],
)
def test_sizes_must_agree(paint) -> None:
    with pytest.raises(ValueError, match=r'\(4, 6\), got \(4, 5\)'):
        paint(np.zeros((4, 5), np.uint8))


def test_inputs_stay_as_they_are() -> None:
    image, labels = IMAGE.copy(), np.ones((4, 6), np.uint8)
    cam = np.linspace(-1, 1, 24).reshape(4, 6)
    before = cam.copy()
    overlay_cam(image, cam)
    overlay_cam(image, cam, signed=True)
    paint_labels(image, labels, [[0, 0, 0], [1, 2, 3]], borders=True)
    paint_errors(image, labels, 0 * labels)
    assert (image == IMAGE).all() and (labels == 1).all()
    assert (cam == before).all()
