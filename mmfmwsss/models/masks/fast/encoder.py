# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""SAM's image encoder on a CPU, without writing its attention maps to memory.

The four global blocks of a ViT-B have 12 maps of 4096 x 4096 each, 0.8 GB a
block, which segment_anything passes over six times. Here a few rows of queries
are taken at a time, whose scores stay in the cache. Same weights, same
numbers up to rounding.
"""

from typing import Any

import torch
from segment_anything.modeling.image_encoder import (
    ImageEncoderViT,
    get_rel_pos,
    window_partition,
    window_unpartition,
)
from torch import Tensor
from torch.nn import functional as F

__all__ = ['encode_image']

CPU_ELEMENTS = 1 << 18  # scores at a time, 1 MB


def encode_image(encoder: Any, image: Tensor) -> Tensor:
    """Run the image encoder.

    Args:
        encoder (ImageEncoderViT | nn.Module): segment_anything's; another,
            whose attention has small windows only, is run as it is.
        image (Tensor): Normalised and padded, (1, 3, S, S).

    Returns:
        Tensor: (1, D, S / 16, S / 16) for a patch size of 16.
    """
    if image.device.type != 'cpu' or not isinstance(encoder, ImageEncoderViT):
        embedding: Tensor = encoder(image)
        return embedding
    # Cut the image into patches with their places.
    x = encoder.patch_embed(image)
    if encoder.pos_embed is not None:
        x = x + encoder.pos_embed
    for block in encoder.blocks:
        x = x + _windowed_attention(block, block.norm1(x))
        x = x + block.mlp(block.norm2(x))
    neck: Tensor = encoder.neck(x.permute(0, 3, 1, 2))
    return neck


def _windowed_attention(block: Any, x: Tensor) -> Tensor:
    """Attend within the windows of a block, (N, H, W, C) to the same."""
    attention, size = block.attn, (x.shape[1], x.shape[2])
    # Padding has no part in the projections: what they make of zeros is their
    # bias, and what they make of the rest of it is cut off.
    qkv = F.linear(x, attention.qkv.weight)
    if block.window_size > 0:
        qkv, padded = window_partition(qkv, block.window_size)
    if attention.qkv.bias is not None:
        qkv = qkv + attention.qkv.bias
    # Attend within each window, and put the windows back together.
    x = _attention(attention, qkv)
    if block.window_size > 0:
        x = window_unpartition(x, block.window_size, padded, size)
    projected: Tensor = attention.proj(x)
    return projected


def _attention(attention: Any, qkv: Tensor) -> Tensor:
    """Attend by queries, keys and values (N, H, W, 3 C) to (N, H, W, C)."""
    count, height, width, _ = qkv.shape
    heads = attention.num_heads
    # Split queries, keys and values into heads.
    q, k, v = (
        qkv.view(count, height * width, 3, heads, -1)
        .permute(2, 0, 3, 1, 4)
        .flatten(1, 2)
    )  # (N heads, H W, c)
    q = q.view(*q.shape[:1], height, width, -1)
    # Compute the relative positions' share of the scores.
    by_row = by_column = None
    if attention.use_rel_pos:
        rows = get_rel_pos(height, height, attention.rel_pos_h)
        columns = get_rel_pos(width, width, attention.rel_pos_w)
        by_row = torch.einsum('bhwc,hkc->bhwk', q, rows)[..., None]
        by_column = torch.einsum('bhwc,wkc->bhwk', q, columns)[..., None, :]
    q = q * attention.scale
    out = torch.empty_like(q)
    keys = k.mT
    pixels = height * width
    # Whole maps at a time while they fit, else rows of one map.
    maps = max(1, CPU_ELEMENTS // pixels**2)
    lines = max(1, CPU_ELEMENTS // (width * pixels))
    for b in torch.arange(len(q)).split(maps):
        some = slice(int(b[0]), int(b[-1]) + 1)
        for start in range(0, height, lines):
            at = (some, slice(start, start + lines))
            # Score some queries against all keys, with their places.
            scores = q[at].flatten(1, 2) @ keys[some]
            if by_row is not None and by_column is not None:
                grid = scores.view(*q[at].shape[:3], height, width)
                grid.add_(by_row[at]).add_(by_column[at])
            # Average the values by the softmax of the scores.
            share = scores.softmax(dim=-1)
            out[at] = (share @ v[some]).view(q[at].shape)
    return (
        out.view(count, heads, height, width, -1)
        .permute(0, 2, 3, 1, 4)
        .flatten(3)
    )
