# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Image tokens of points against segment_anything's, multiplied out."""

import math
from typing import Any

import torch
from torch import Tensor

from mmfmwsss.models.masks.fast.factored_image import (
    FactoredImage,
    split_heads,
)
from mmfmwsss.models.masks.fast.image_of_points import ImageOfPoints


def heads_of(attention: Any, projection: Any, x: Tensor) -> Tensor:
    return split_heads(projection(x), attention.num_heads)


def scaled(x: Tensor) -> Tensor:
    return x / math.sqrt(x.shape[-1])


def run(tokens: Any, points: Any = slice(None)) -> tuple[Any, list[Tensor]]:
    """Run all blocks; image tokens of the points after each, (P, L, D)."""
    image = FactoredImage(tokens.decoder, tokens.image, tokens.place)
    x, dense = ImageOfPoints(image), []
    for number, block in enumerate(tokens.decoder.transformer.layers):
        attention = block.cross_attn_image_to_token
        queries = tokens.queries[number, points]
        key = heads_of(attention, attention.k_proj, 2 * queries)
        value = heads_of(attention, attention.v_proj, queries)
        x.read_tokens(scaled(key), value)
        state = image.states[number]
        gain = x.gain
        assert gain is not None
        low = x.rows.mT @ x.basis
        dense.append(gain.mT * state.matrix + low + state.offset)
    return x, dense


def test_tokens_after_each_block(tokens: Any) -> None:
    _, found = run(tokens)
    expected = list(tokens.image_tokens())[1:]
    assert len(found) == len(expected) == 2
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_points_do_not_see_each_other(tokens: Any) -> None:
    _, together = run(tokens)
    for point in range(5):
        _, alone = run(tokens, [point])
        torch.testing.assert_close(alone[-1][0], together[-1][point])


def test_reading_before_and_after_the_blocks(tokens: Any) -> None:
    transformer = tokens.decoder.transformer
    before = ImageOfPoints(
        FactoredImage(tokens.decoder, tokens.image, tokens.place)
    )
    after, _ = run(tokens)
    dense = list(tokens.image_tokens())
    for x, image, attention in (
        (before, dense[0], transformer.layers[0].cross_attn_token_to_image),
        (after, dense[-1], transformer.final_attn_token_to_image),
    ):
        queries = tokens.queries[-1]
        expected = attention(q=queries, k=image + tokens.place, v=image)
        query = scaled(heads_of(attention, attention.q_proj, queries))
        read = x.read_image(query).transpose(1, 2).flatten(2)
        torch.testing.assert_close(attention.out_proj(read), expected)


def test_some_points_are_upscaled(tokens: Any) -> None:
    x, dense = run(tokens)
    some = torch.tensor([1, 4])
    # Four places a token: upper left, upper right, lower left, lower right
    grid = dense[-1][some].mT.unflatten(2, (3, 5))
    large = tokens.decoder.output_upscaling[0](grid)  # (P', D / 4, 6, 10)
    places = [large[:, :, y::2, z::2] for y in (0, 1) for z in (0, 1)]
    expected = torch.stack(places, 4).flatten(2, 3)  # (P', D / 4, L, 4)
    torch.testing.assert_close(x.upscaled(some), expected.permute(0, 2, 3, 1))
