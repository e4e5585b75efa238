# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Functions of CAMs take arrays of numpy."""

import numpy as np
import pytest
import torch

from mmfmwsss.models.cams import CAA, softmax_gradcam, upsample_cams
from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop.tiny_models import random_clip

RANDOM = np.random.default_rng(0)


def test_enlarging():
    maps = RANDOM.normal(size=(2, 3, 4))
    expected = upsample_cams(torch.from_numpy(maps), (6, 9))
    found = upsample_cams(maps, (6, 9))
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, expected.numpy())
    assert upsample_cams(maps[:0], (6, 9)).shape == (0, 6, 9)


def test_refinement_by_attention():
    maps = RANDOM.normal(size=(2, 3, 4)).astype(np.float32)
    attention = RANDOM.random((1, 12, 12)).astype(np.float32)
    expected = CAA()(
        torch.from_numpy(maps),
        torch.from_numpy(attention),
        torch.tensor([0, 0]),
    )
    found = CAA()(maps, attention, [0, 0])
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, expected.numpy())


@pytest.mark.parametrize('kind', ['bool', 'int64', 'float32'])
def test_labels_of_any_kind(kind):
    clip = random_clip()
    features = clip.encode_trunk(torch.rand(1, 3, 16, 24))
    last_block = clip.run_last_block(features)
    text = torch.nn.functional.normalize(
        torch.rand(3, last_block.embedding.shape[1]), dim=1
    )
    labels = np.array([[1, 0]], kind)
    cams, pairs = softmax_gradcam(
        features, last_block, text, clip.scale, labels
    )
    expected, _ = softmax_gradcam(
        features, last_block, text, clip.scale, torch.tensor([[True, False]])
    )
    assert pairs.tolist() == [[0, 0]]
    assert torch.equal(cams, expected)
    with pytest.raises(UserInputError, match='multi-hot'):
        softmax_gradcam(features, last_block, text, clip.scale, labels * 1 + 1)
