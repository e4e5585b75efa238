# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""PIL is the reference of both ways to resize."""

import numpy as np
import pytest
from PIL import Image

import mmfmwsss  # noqa: F401  readies mmcv
from mmfmwsss.datasets.transforms import resize_bicubic, resize_nearest


def test_nearest_is_pils_and_bicubic_too():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (23, 31, 3), dtype=np.uint8)
    for size in ((10, 57), (46, 62), (23, 31), (1, 1)):
        picture = Image.fromarray(image)
        nearest = picture.resize(size[::-1], Image.Resampling.NEAREST)
        assert (resize_nearest(image, size) == np.asarray(nearest)).all()
        bicubic = picture.resize(size[::-1], Image.Resampling.BICUBIC)
        assert (resize_bicubic(image, size) == np.asarray(bicubic)).all()


def test_only_uint8_pictures():
    with pytest.raises(ValueError, match='uint8 image'):
        resize_bicubic(np.zeros((2, 2, 3), np.float32), (4, 4))
