# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A SAM of random weights whose masks are blobs, and a picture."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from segment_anything.modeling import Sam

from mmfmwsss.models.masks import build_small_sam

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


def liven(sam: Sam) -> Sam:
    """Make random masks blobs that differ from point to point."""
    decoder = sam.mask_decoder
    with torch.no_grad():
        pe_layer = sam.prompt_encoder.pe_layer
        pe_layer.positional_encoding_gaussian_matrix *= 0.5
        sam.image_encoder.neck[2].weight *= 0.3
        for attention in decoder.transformer.modules():
            if hasattr(attention, 'k_proj'):
                attention.k_proj.weight *= 3
                attention.v_proj.weight *= 2
        for convolution in decoder.output_upscaling[::3]:
            kernel = convolution.weight
            kernel.copy_(kernel.mean((2, 3), keepdim=True) * 4)
        for mlp in decoder.output_hypernetworks_mlps:
            for layer in mlp.layers:
                layer.weight *= 3
        decoder.iou_prediction_head.layers[-1].weight *= 4
    return sam


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
