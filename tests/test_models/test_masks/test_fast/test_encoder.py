# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
from functools import partial

import pytest
import torch
from segment_anything.modeling import ImageEncoderViT
from torch import nn

from mmfmwsss.models.masks.fast import encoder as module
from mmfmwsss.models.masks.fast.encoder import encode_image


def make(**changes):
    """A small encoder with windows that do not fit the grid, and without."""
    torch.manual_seed(0)
    settings = dict(
        img_size=80,
        patch_size=8,
        embed_dim=24,
        depth=3,
        num_heads=3,
        out_chans=16,
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
        window_size=4,
        global_attn_indexes=(1,),
    )
    encoder = ImageEncoderViT(**(settings | changes)).double()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.normal_(std=0.3)  # relative positions start at zero
    return encoder.requires_grad_(False)


@pytest.mark.parametrize(
    'changes',
    [
        dict(),
        dict(use_rel_pos=False),
        dict(qkv_bias=False),
        dict(use_abs_pos=False),
        dict(window_size=0),
    ],
)
@pytest.mark.parametrize('elements', [1, 3000, 1 << 18])
def test_is_segment_anythings_encoder(changes, elements, monkeypatch):
    monkeypatch.setattr(module, 'CPU_ELEMENTS', elements)
    encoder = make(**changes)
    image = torch.randn(1, 3, 80, 80, dtype=torch.float64)
    expected = encoder(image)
    assert expected.std() > 0.1
    torch.testing.assert_close(encode_image(encoder, image), expected)
