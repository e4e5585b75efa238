# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Kinds of error, by hand and against a loop."""

import numpy as np
import pytest

from mmfmwsss.visualization import ERROR_COLOURS, ERROR_NAMES, error_kinds
from mmfmwsss.visualization.error_kinds import (
    FALSE_FOREGROUND,
    MISSED_FOREGROUND,
    NOT_SCORED,
    RIGHT,
    UNDECIDED,
    WRONG_CLASS,
)


def test_by_hand():
    labels = np.array([[0, 2, 0, 1, 2, 255, 255]], np.uint8)
    truth = np.array([[0, 0, 1, 2, 2, 1, 255]], np.uint8)
    assert error_kinds(labels, truth).tolist() == [
        [
            RIGHT,
            FALSE_FOREGROUND,
            MISSED_FOREGROUND,
            WRONG_CLASS,
            RIGHT,
            UNDECIDED,
            NOT_SCORED,
        ]
    ]


def one_kind(label: int, true: int) -> int:
    if true == 255:
        return NOT_SCORED
    if label == true:
        return RIGHT
    if label == 255:
        return UNDECIDED
    if label == 0:
        return MISSED_FOREGROUND
    return FALSE_FOREGROUND if true == 0 else WRONG_CLASS


def test_slow_loop():
    rng = np.random.default_rng(0)
    labels, truth = rng.choice([0, 1, 2, 3, 255], (2, 17, 13))
    expected = [
        [one_kind(*pair) for pair in zip(*rows, strict=True)]
        for rows in zip(labels, truth, strict=True)
    ]
    assert error_kinds(labels, truth).tolist() == expected


def test_every_kind_has_a_name_and_a_colour():
    assert set(ERROR_NAMES) == set(ERROR_COLOURS)
    assert RIGHT not in ERROR_NAMES and NOT_SCORED not in ERROR_NAMES


def test_sizes_must_agree():
    with pytest.raises(ValueError, match=r'\(2, 3\), got \(2, 2\)'):
        error_kinds(np.zeros((2, 2), int), np.zeros((2, 3), int))
