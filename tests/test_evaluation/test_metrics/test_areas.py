# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Areas and IoU against a case by hand and a slow loop."""

import numpy as np
import pytest

import mmfmwsss  # noqa: F401  readies mmcv
from mmfmwsss.evaluation.metrics import (
    class_areas,
    class_scores,
    intersection_over_union,
)


def test_case_by_hand():
    truth = np.array([[0, 0, 1], [1, 255, 255]])
    prediction = np.array([[0, 1, 1], [255, 0, 1]])
    areas = class_areas(prediction, truth, 3)
    assert areas.tolist() == [[1, 1, 0], [1, 2, 0], [2, 2, 0]]
    iou = intersection_over_union(areas)
    assert iou[:2].tolist() == [1 / 2, 1 / 3]
    assert np.isnan(iou[2])


def test_scores_of_the_case_by_hand():
    areas = np.array([[1, 1, 0], [1, 2, 0], [2, 2, 0]])
    assert class_scores(['background', 'cat', 'dog'], areas) == {
        'background': {'IoU': 50.0, 'precision': 100.0, 'recall': 50.0},
        'cat': {'IoU': 33.33, 'precision': 50.0, 'recall': 50.0},
        'dog': {'IoU': None, 'precision': None, 'recall': None},
    }


def test_slow_loop():
    rng = np.random.default_rng(0)
    truth = rng.choice([0, 1, 2, 3, 255], (9, 11)).astype(np.uint8)
    prediction = rng.choice([0, 1, 2, 3, 7, 255], (9, 11)).astype(np.uint8)
    expected = np.zeros((3, 4), int)
    for t, p in zip(truth.flat, prediction.flat, strict=True):
        if t == 255:
            continue
        expected[2, t] += 1
        if p < 4:
            expected[1, p] += 1
        if p == t:
            expected[0, t] += 1
    assert (class_areas(prediction, truth, 4) == expected).all()


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r'\(2, 3\)'):
        class_areas(np.zeros((2, 2), int), np.zeros((2, 3), int), 2)
