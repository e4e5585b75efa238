# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Logits and labels of any kind, and those that do not fit."""

import numpy as np
import pytest
import torch

from mmfmwsss.models.losses.class_losses import logits_and_labels
from mmfmwsss.utils import UserInputError


@pytest.mark.parametrize('kind', [bool, int, float, np.uint8])
def test_labels_of_any_type_are_bool(kind):
    given = np.array([[1, 0], [0, 0]]).astype(kind)
    logits, labels = logits_and_labels(np.ones((2, 2), np.float32), given)
    assert logits.dtype == torch.float32
    assert labels.tolist() == [[True, False], [False, False]]


def test_a_tensor_keeps_its_gradient():
    logits = torch.zeros(1, 2, requires_grad=True)
    assert logits_and_labels(logits, [[1, 0]])[0] is logits


def test_no_image():
    logits, labels = logits_and_labels(torch.zeros(0, 3), torch.zeros(0, 3))
    assert logits.shape == labels.shape == (0, 3)


@pytest.mark.parametrize(
    ('labels', 'message'),
    [
        ([[1, 0, 1]], r'shape of `logits`.*here \(1, 2\).*got \(1, 3\)'),
        ([1, 0], r'got \(2,\)'),
        ([[2, 0]], r'got 2 at \[0, 0\]'),
        ([[0.5, 0]], r'got 0.5 at \[0, 0\]'),
    ],
    ids=['classes', 'one-image', 'index', 'soft'],
)
def test_what_does_not_fit_is_refused(labels, message):
    with pytest.raises(UserInputError, match=message):
        logits_and_labels(torch.zeros(1, 2), labels)
