# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Masks of other numbers, by hand."""

import numpy as np
import pytest

import mmfmwsss  # noqa: F401  readies mmcv
from mmfmwsss.evaluation.metrics.truth_numbers import renumber_truth
from mmfmwsss.utils import UserInputError


def test_numbers_of_a_longer_list_by_hand():
    truth = np.array([[0, 8, 12], [255, 12, 0]], np.uint8)
    found = renumber_truth(truth, [0, 8, 12])
    assert found.tolist() == [[0, 1, 2], [255, 2, 0]]
    assert found.dtype == np.uint8
    assert truth[0, 1] == 8  # the mask is left as it was


def test_numbers_of_no_label_are_refused():
    truth = np.array([[0, 8], [15, 255]], np.uint8)
    with pytest.raises(UserInputError, match=r'\[0, 8, 12\] or 255.*\[15\]'):
        renumber_truth(truth, [0, 8, 12])
