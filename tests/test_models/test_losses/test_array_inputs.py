# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Losses of one's own logits and maps, from numpy or torch."""

import numpy as np
import pytest
import torch

from mmfmwsss.models.losses import (
    CAMActivationLoss,
    CAMCrossEntropyLoss,
    MultiLabelBCELoss,
    MultiLabelContrastiveLoss,
    cam_activation_loss,
    cam_cross_entropy_loss,
    multilabel_bce_loss,
    multilabel_contrastive_loss,
)
from mmfmwsss.utils import UserInputError

OF_LABELS = pytest.mark.parametrize(
    'loss',
    [
        multilabel_contrastive_loss,
        multilabel_bce_loss,
        MultiLabelContrastiveLoss(),
        MultiLabelBCELoss(),
        MultiLabelBCELoss(learnable=True),
    ],
    ids=['mcl', 'bce', 'MCL', 'BCE', 'BCE-learnable'],
)
OF_MAPS = pytest.mark.parametrize(
    'loss',
    [
        cam_activation_loss,
        cam_cross_entropy_loss,
        CAMActivationLoss(),
        CAMCrossEntropyLoss(),
    ],
    ids=['cal', 'ce', 'CAL', 'CE'],
)
LOGITS = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0]], np.float32)
LABELS = np.array([[1, 0, 0], [0, 1, 1]])
CAMS = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
PAIRS = np.array([[0, 1], [1, 0]])
SEEDS = np.array([[[0, 2], [2, 255]], [[1, 1], [0, 0]]], np.uint8)


@OF_LABELS
@pytest.mark.parametrize('kind', ['bool', 'uint8', 'int64', 'float32'])
def test_labels_of_any_kind_are_one_loss(loss, kind):
    labels = LABELS.astype(kind)
    expected = loss(torch.from_numpy(LOGITS), torch.from_numpy(LABELS > 0))
    assert loss(LOGITS, labels) == expected
    assert loss(torch.from_numpy(LOGITS), torch.from_numpy(labels)) == expected
    assert loss(LOGITS.tolist(), labels.tolist()) == expected


@OF_LABELS
def test_what_does_not_fit_is_one_line(loss):
    with pytest.raises(UserInputError, match=r'\(2, 3\), but got \(2, 2\)'):
        loss(LOGITS, LABELS[:, :2])
    with pytest.raises(UserInputError, match='multi-hot.* got 4 at'):
        loss(LOGITS, LABELS * 4)


@OF_MAPS
def test_maps_of_numpy_are_those_of_torch(loss):
    cams = torch.from_numpy(CAMS).requires_grad_()
    expected = loss(cams, torch.from_numpy(PAIRS), torch.from_numpy(SEEDS))
    assert loss(CAMS, PAIRS.tolist(), SEEDS) == expected
    expected.backward()
    assert cams.grad.any()  # tensors keep their gradient


@OF_MAPS
@pytest.mark.parametrize(
    'wrong',
    [
        dict(cams=CAMS[0]),
        dict(pairs=PAIRS[:1]),
        dict(pairs=PAIRS / 2),
        dict(seeds=SEEDS[0]),
        dict(seeds=SEEDS / 2),
    ],
    ids=['map', 'pair', 'half_pair', 'seed', 'half_seed'],
)
def test_maps_that_do_not_fit_are_one_line(loss, wrong):
    given = dict(cams=CAMS, pairs=PAIRS, seeds=SEEDS) | wrong
    with pytest.raises(UserInputError, match=r'Expected `cams` \(P, h, w\)'):
        loss(*given.values())
