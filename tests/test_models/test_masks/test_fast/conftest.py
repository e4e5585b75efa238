# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The decoder in double precision, and tokens of an image and of points."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, NamedTuple

import pytest
import torch
from segment_anything.modeling import Sam
from torch import Tensor


class Tokens(NamedTuple):
    """A decoder, and what it is given.

    Attributes:
        decoder (MaskDecoder): segment_anything's.
        image (Tensor): Image tokens before the first block, (L, D).
        place (Tensor): Their positional encoding, (L, D).
        queries (Tensor): Tokens of points, one set a step, (steps, P, T, D).
    """

    decoder: Any
    image: Tensor
    place: Tensor
    queries: Tensor

    def image_tokens(self) -> Iterator[Tensor]:
        """Yield the image tokens of all points, (P, L, D), block by block.

        segment_anything's modules, multiplied out, each fed with the points'
        tokens of its step.
        """
        x = self.image.expand(self.queries.shape[1], -1, -1)
        yield x
        for block, tokens in zip(
            self.decoder.transformer.layers, self.queries, strict=False
        ):
            read = block.cross_attn_image_to_token(
                q=x + self.place, k=2 * tokens, v=tokens
            )
            x = block.norm4(x + read)
            yield x


@pytest.fixture(scope='session')
def tokens(sam: Sam) -> Tokens:
    generator = torch.Generator().manual_seed(2)
    decoder = deepcopy(sam.mask_decoder).double().requires_grad_(False)
    # Norms as they leave a training, not all of weight 1
    for block in decoder.transformer.layers:
        block.norm4.weight.add_(torch.linspace(-0.5, 0.5, 32))
        block.norm4.bias.add_(torch.linspace(0.3, -0.3, 32))
    # Kernels that differ from place to place, unlike those of the random SAM
    upscale = decoder.output_upscaling[0].weight
    upscale.add_(torch.randn(upscale.shape, generator=generator))
    image, place, queries = (
        torch.randn(*shape, 32, generator=generator).double()
        for shape in ((15,), (15,), (3, 5, 6))
    )
    return Tokens(decoder, image, place, queries)
