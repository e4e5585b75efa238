# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A SAM of random weights whose masks are blobs, and a picture."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from segment_anything.modeling import Sam

from mmfmwsss.models.masks import build_small_sam
from mmfmwsss.workshop.random_sam import liven

SMALL = dict(
    image_size=64,
    patch_size=8,
    encoder_width=24,
    encoder_depth=1,
    encoder_heads=3,
    decoder_width=32,
    decoder_heads=4,
    decoder_mlp=32,
)


@pytest.fixture(scope='session')
def sam() -> Sam:
    torch.manual_seed(4)
    return liven(build_small_sam(**SMALL)).requires_grad_(False)


@pytest.fixture
def image() -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    picture = np.zeros((150, 210, 3), np.uint8)
    for _ in range(20):
        y, x = rng.integers(0, (130, 190))
        h, w = rng.integers(20, 90, 2)
        picture[y : y + h, x : x + w] = rng.integers(0, 256, 3)
    return picture
