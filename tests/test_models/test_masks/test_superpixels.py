# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
import sys

import numpy as np
import pytest
import torch

from mmfmwsss.models.masks import FelzenszwalbSuperpixels
from mmfmwsss.utils import UserInputError


def test_cover_the_image_without_overlap(image):
    masks = FelzenszwalbSuperpixels(scale=100, min_size=30)(image)
    assert masks.size == image.shape[:2]
    assert len(masks) > 3
    assert torch.equal(masks.masks.sum(0), torch.ones(masks.size).long())
    assert (masks.masks.flatten(1).sum(1) >= 30).all()
    assert masks.levels.unique().tolist() == [2]


def test_two_halves():
    image = np.zeros((20, 20, 3), np.uint8)
    image[:, 10:] = 255
    masks = FelzenszwalbSuperpixels(sigma=0, level=1)(image)
    halves = torch.from_numpy(image[..., 0] > 0)
    assert torch.equal(masks.masks, torch.stack([~halves, halves]))
    assert masks.levels.tolist() == [1, 1]


def test_one_colour_is_one_superpixel():
    masks = FelzenszwalbSuperpixels()(np.full((9, 7, 3), 90, np.uint8))
    assert len(masks) == 1


def test_without_scikit_image(monkeypatch):
    monkeypatch.setitem(sys.modules, 'skimage.segmentation', None)
    with pytest.raises(UserInputError, match='pip install scikit-image'):
        FelzenszwalbSuperpixels()
