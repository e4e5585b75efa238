# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""CLIP's causal text tower, run in two parts.

A token sees what stands before it. So what all prompts begin with is computed
once, what never changes is computed once a run, and of the last layer only
the end tokens are needed. The result is that of the whole prompts.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from open_clip import CLIP
from torch import Tensor

from .frozen_linear import feed_forward, project_heads

__all__ = ['PrefixCache', 'encode_prefix', 'encode_rest']


@dataclass
class PrefixCache:
    """Cached keys and values of the prompt prefixes.

    Attributes:
        keys (list[Tensor]): Of each layer, (G or 1, heads, S, D').
        values (list[Tensor]): Of each layer, (G or 1, heads, S, D').
        lengths (Tensor): Tokens of each start, int64, (G or 1,).
    """

    keys: list[Tensor]
    values: list[Tensor]
    lengths: Tensor

    def __getitem__(self, rows: Tensor) -> 'PrefixCache':
        """Select some prompts; a prefix of all prompts stays as it is."""
        if len(self.lengths) == 1:
            return self
        return PrefixCache(
            [key[rows] for key in self.keys],
            [value[rows] for value in self.values],
            self.lengths[rows],
        )


def encode_prefix(
    model: CLIP, embeddings: Tensor, lengths: Tensor
) -> PrefixCache:
    """Run the first tokens of prompts.

    Args:
        model (CLIP): The frozen model.
        embeddings (Tensor): Token embeddings, cut at the longest start,
            (G, S, D).
        lengths (Tensor): Tokens of each start, at least 1, int64, (G,).
            Whatever stands behind is not read.

    Returns:
        PrefixCache: Differentiable with respect to the embeddings.
    """
    x = embeddings + model.positional_embedding[: embeddings.shape[1]]
    cache = PrefixCache([], [], lengths)
    # Keep keys and values of each layer; the last has no reader
    blocks = model.transformer.resblocks
    for number, block in enumerate(blocks):
        query, key, value = project_heads(block.attn, block.ln_1(x))
        cache.keys.append(key)
        cache.values.append(value)
        if number + 1 < len(blocks):
            seen = F.scaled_dot_product_attention(
                query, key, value, is_causal=True
            )
            x = feed_forward(block, x, seen)
    return cache


def encode_rest(
    model: CLIP, cache: PrefixCache, embeddings: Tensor, ends: Tensor
) -> Tensor:
    """Run the other tokens of prompts.

    Args:
        model (CLIP): The frozen model.
        cache (PrefixCache): Of each prompt, or one for all.
        embeddings (Tensor): Token embeddings of what follows, cut at the
            longest, (G, T, D).
        ends (Tensor): Position of the end token therein, int64, (G,).

    Returns:
        Tensor: Output of the last layer at the end tokens, (G, D).
    """
    # Count the positions on from the end of the prefix
    prompts, length = embeddings.shape[:2]
    steps = torch.arange(length, device=embeddings.device)
    positions = cache.lengths[:, None] + steps
    # Behind a prompt's end the number may exceed the table: it is not read
    positions = positions.clamp(max=len(model.positional_embedding) - 1)
    x = embeddings + model.positional_embedding[positions]
    # Each layer attends to the cached prefix and to the tokens before
    visible = _visible(cache, steps).expand(prompts, -1, -1, -1)
    rows = torch.arange(prompts, device=embeddings.device)
    # Run the layers, the prefix's keys and values in front
    blocks = model.transformer.resblocks
    for number, block in enumerate(blocks):
        query, key, value = project_heads(block.attn, block.ln_1(x))
        mask = visible
        if number + 1 == len(blocks):  # only the end token is read
            query = query[rows, :, ends][:, :, None]
            mask = visible.expand(-1, -1, length, -1)[rows, :, ends][
                :, :, None
            ]
            x = x[rows, ends][:, None]
        key = _join(cache.keys[number], key)
        value = _join(cache.values[number], value)
        seen = F.scaled_dot_product_attention(
            query, key, value, attn_mask=mask
        )
        x = feed_forward(block, x, seen)
    return x[:, 0]


def _visible(cache: PrefixCache, steps: Tensor) -> Tensor:
    """Mark the keys that a token sees, bool, (G or 1, 1, T, S + T)."""
    # See the prefix as far as it goes
    width = cache.keys[0].shape[-2]
    places = torch.arange(width, device=steps.device)
    before = places < cache.lengths[:, None]  # (G, S)
    before = before[:, None].expand(-1, len(steps), -1)
    # See the tokens before, and the token itself
    causal = (steps <= steps[:, None]).expand(len(before), -1, -1)
    return torch.cat([before, causal], dim=-1)[:, None]


def _join(start: Tensor, rest: Tensor) -> Tensor:
    start = start.to(rest.dtype).expand(len(rest), -1, -1, -1)
    return torch.cat([start, rest], dim=-2)
