# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The image tokens of many points, in parts that fit the cache of a CPU.

A point has a few tokens and thousands of image tokens. Layers on the former
are run for all points at once, so that their weights are read once; the image
side is run for a few points at a time, so that it stays in the cache.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .factored_image import FactoredImage, split_heads
from .image_of_points import ImageOfPoints

__all__ = ['ImageParts']


class ImageParts:
    """The image tokens of P points between two blocks of the decoder.

    Args:
        image (FactoredImage): What all points share.
        points (int): P.
        size (int): Points of a part.
    """

    def __init__(self, image: FactoredImage, points: int, size: int) -> None:
        self.size = size
        self.parts = [ImageOfPoints(image) for _ in range(0, points, size)]

    def attend_to_image(self, attention: Any, query: Tensor) -> Tensor:
        """Let the points' tokens read from the image.

        Args:
            attention (Attention): The block's, or the final one.
            query (Tensor): Tokens with their places, (P, T, D).

        Returns:
            Tensor: (P, T, D).
        """
        # Project all tokens, and let those of each part read.
        q = split_heads(attention.q_proj(query), attention.num_heads)
        q = q / math.sqrt(q.shape[-1])
        read = [
            part.read_image(some)
            for part, some in zip(self.parts, q.split(self.size), strict=True)
        ]
        joined = torch.cat(read).transpose(1, 2).flatten(2)
        output: Tensor = attention.out_proj(joined)
        return output

    def attend_to_tokens(
        self, attention: Any, key: Tensor, value: Tensor
    ) -> None:
        """Let the image read from the points' tokens, add and normalise.

        Args:
            attention (Attention): The block's, image to tokens.
            key (Tensor): Tokens with their places, (P, T, D).
            value (Tensor): Tokens, (P, T, D).
        """
        # Project all tokens, and let the image of each part read them.
        k = split_heads(attention.k_proj(key), attention.num_heads)
        v = split_heads(attention.v_proj(value), attention.num_heads)
        k = k / math.sqrt(k.shape[-1])
        for part, keys, values in zip(
            self.parts, k.split(self.size), v.split(self.size), strict=True
        ):
            part.read_tokens(keys, values)

    def map_points(
        self,
        function: Callable[[ImageOfPoints, Tensor, Tensor], Tensor],
        points: Tensor,
    ) -> Tensor:
        """Call a function on the points of each part, and join the results.

        Args:
            function (Callable): Takes the part, the numbers of points in it,
                and those among all points.
            points (Tensor): Numbers among all points, ascending, (P',).

        Returns:
            Tensor: (P', ...).
        """
        # Find where the points of each part begin.
        count = len(self.parts)
        starts = torch.arange(count + 1, device=points.device) * self.size
        ends = torch.searchsorted(points, starts).tolist()
        results = []
        for number, part in enumerate(self.parts):
            some = points[ends[number] : ends[number + 1]]
            if len(some):
                results.append(function(part, some - number * self.size, some))
        return torch.cat(results)
