# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What the points share, by hand, by einsum, and as a norm leaves it."""

from typing import Any

import pytest
import torch
from torch import nn

from mmfmwsss.models.masks.fast.factored_image import (
    FactoredImage,
    ImageState,
    shared_product,
    split_heads,
)


def test_heads_by_hand() -> None:
    x = torch.arange(12).view(2, 6)  # two tokens, three heads of two channels
    assert split_heads(x, 3).tolist() == [
        [[0, 1], [6, 7]],
        [[2, 3], [8, 9]],
        [[4, 5], [10, 11]],
    ]


def test_product_is_that_of_each_point() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(5, 2, 3, 4, generator=generator).double()
    shared = torch.randn(2, 4, 7, generator=generator).double()
    expected = torch.einsum('phtc,hcl->phtl', x, shared)
    torch.testing.assert_close(shared_product(x, shared), expected)


@pytest.mark.parametrize('blocks', [1, 2, 3])
def test_state_after_blocks_is_a_norm_of_sums(blocks: int) -> None:
    """One point with rank-one additions, multiplied out beside it."""
    generator = torch.Generator().manual_seed(blocks)
    channels, heads, length = 8, 2, 5

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator).double()

    x = draw(length, channels)
    state, gain = ImageState.first(x), torch.ones(length, 1).double()
    rows, values = torch.zeros(length, 0).double(), []
    for number in range(blocks):
        output = nn.Linear(channels, channels).double()
        norm = nn.LayerNorm(channels).double()
        nn.init.normal_(norm.weight, generator=generator)
        nn.init.normal_(norm.bias, generator=generator)
        # Each head adds its value by a share for each image token
        share, value = draw(length, heads), draw(heads, channels // heads)
        added = torch.cat([share[:, [h]] * value[h] for h in range(heads)], 1)
        x = norm(x + output(added))
        state = state.after(output, heads, norm)
        # The factors: one column a head, and one for the constant
        rows = torch.cat([rows, share], 1)
        values.append(value[:, None])
        if number:
            rows = torch.cat([rows, torch.ones(length, 1).double()], 1)
            values.append(torch.ones(1, 1, 1).double())

        def low(maps: list[Any], found: list[Any] = values) -> torch.Tensor:
            pairs = zip(found, maps, strict=True)
            return torch.cat([(v @ m).flatten(0, 1) for v, m in pairs])

        # Before the norm's weights: A is centred, and its lengths are kept
        plain = state.matrix / norm.weight
        torch.testing.assert_close(plain.mean(1), torch.zeros(length).double())
        torch.testing.assert_close(plain.square().sum(1), state.length)
        for one, cross in zip(
            state.maps_before_norm, state.cross, strict=True
        ):
            torch.testing.assert_close(one @ plain.T, cross)
        # X = a A + R' B + b, with a and R divided by the deviation
        sums = gain * plain + rows @ low(state.maps_before_norm)
        scale = (sums.square().mean(1, keepdim=True) + norm.eps).rsqrt()
        gain, rows = gain * scale, rows * scale
        found = gain * state.matrix + rows @ low(state.maps) + state.offset
        torch.testing.assert_close(found, x)


def test_upscaled_is_the_first_transposed_convolution(tokens: Any) -> None:
    image = FactoredImage(tokens.decoder, tokens.image, tokens.place)
    state = image.states[-1]
    convolve = tokens.decoder.output_upscaling[0]
    # A picture of 3 x 5 tokens, each of which becomes 2 x 2
    grid = (state.matrix + state.offset).T.unflatten(1, (3, 5))
    expected = (
        convolve(grid[None])[0].unflatten(1, (3, 2)).unflatten(3, (5, 2))
    )
    found = (image.upscaled + image.upscaled_offset).view(3, 5, 2, 2, -1)
    torch.testing.assert_close(found, expected.permute(1, 3, 2, 4, 0))


def test_elements_by_hand(tokens: Any) -> None:
    image = FactoredImage(tokens.decoder, tokens.image, tokens.place)
    # Two blocks of four heads, seven tokens, fifteen image tokens
    assert image.elements_per_point == 2 * 4 * 7 * 15
