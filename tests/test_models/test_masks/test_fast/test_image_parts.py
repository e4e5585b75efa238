# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Parts of the points against segment_anything's attention on all."""

from typing import Any

import pytest
import torch
from torch import Tensor

from mmfmwsss.models.masks.fast.factored_image import FactoredImage
from mmfmwsss.models.masks.fast.image_of_points import ImageOfPoints
from mmfmwsss.models.masks.fast.image_parts import ImageParts


@pytest.mark.parametrize('size', [1, 2, 5, 9])
def test_attention_is_segment_anythings(tokens: Any, size: int) -> None:
    transformer, place = tokens.decoder.transformer, tokens.place
    image = FactoredImage(tokens.decoder, tokens.image, place)
    parts = ImageParts(image, 5, size)
    dense = tokens.image_tokens()
    for block, queries in zip(
        transformer.layers, tokens.queries, strict=False
    ):
        x = next(dense)
        attention = block.cross_attn_token_to_image
        torch.testing.assert_close(
            parts.attend_to_image(attention, queries),
            attention(q=queries, k=x + place, v=x),
        )
        parts.attend_to_tokens(
            block.cross_attn_image_to_token, 2 * queries, queries
        )
    x, queries = next(dense), tokens.queries[-1]
    final = transformer.final_attn_token_to_image
    torch.testing.assert_close(
        parts.attend_to_image(final, queries),
        final(q=queries, k=x + place, v=x),
    )


@pytest.mark.parametrize('size', [1, 2, 5, 9])
@pytest.mark.parametrize('points', [[0, 1, 2, 3, 4], [1, 4], [2]])
def test_points_are_told_apart(
    tokens: Any, size: int, points: list[int]
) -> None:
    """A point has one number in its part, and one among all."""
    image = FactoredImage(tokens.decoder, tokens.image, tokens.place)
    parts = ImageParts(image, 5, size)
    called = []

    def place_of(part: ImageOfPoints, own: Tensor, all_: Tensor) -> Tensor:
        number = next(n for n, p in enumerate(parts.parts) if p is part)
        assert len(own) and (own < size).all()
        called.append(number)
        return torch.stack([number * size + own, all_], 1)

    found = parts.map_points(place_of, torch.tensor(points))
    assert found.tolist() == [[point, point] for point in points]
    # Parts without any of the points are left alone
    assert called == sorted({point // size for point in points})
