# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The image tokens of some points: what differs from point to point.

These are a, R and B of the image tokens X = a A + R' B + b of a point;
``factored_image.py`` says why they have this form, and holds A and b.
"""

import torch
from torch import Tensor, nn

from .factored_image import FactoredImage, ImageState, shared_product

__all__ = ['ImageOfPoints']


class ImageOfPoints:
    """The image tokens of P points between two blocks of the decoder.

    Attributes:
        gain (Tensor | None): a, (P, 1, L); None for 1.
        rows (Tensor): R, (P, K, L).
        basis (Tensor): B, (P, K, D).
    """

    def __init__(self, image: FactoredImage) -> None:
        self.image = image
        self.block = 0
        self.gain: Tensor | None = None
        self.rows: Tensor
        self.basis: Tensor
        self._values: list[Tensor] = []

    def read_image(self, query: Tensor) -> Tensor:
        """Let the points' tokens read from the image.

        Args:
            query (Tensor): Projected tokens by head, scaled, (P, h, T, c).

        Returns:
            Tensor: (P, h, T, c).
        """
        # Score the image tokens, and read their mean by the softmax.
        scores, values = self.image.token_to_image[self.block]
        return values(self, scores(self, query).softmax(dim=-1))

    def read_tokens(self, key: Tensor, v: Tensor) -> None:
        """Let the image read from the points' tokens, add and normalise.

        Args:
            key (Tensor): Projected tokens by head, scaled, (P, h, T, c).
            v (Tensor): Their values, (P, h, T, c).
        """
        # Score the points' tokens from each image token.
        scores = self.image.image_to_token[self.block](self, key)
        share = scores.softmax(dim=2).flatten(1, 2)  # (P, h T, L)
        # Append what was read to R and its values.
        state = self.image.states[self.block]
        norm = self.image.blocks[self.block].norm4
        self.block += 1
        if self.gain is None:
            self.rows, self._values = share, [v]
        else:
            one = torch.ones_like(share[:, :1])
            self.rows = torch.cat([self.rows, share, one], dim=1)
            self._values += [v, v.new_ones(len(v), 1, 1, 1)]
        # Normalise: rescale a and R, and send the values to B.
        scale = self._scale(state, norm)  # (P, 1, L)
        self.gain = scale if self.gain is None else self.gain * scale
        self.rows = self.rows.mul_(scale)
        self.basis = self._rows_of(state.maps)

    def _rows_of(self, maps: list[Tensor]) -> Tensor:
        """Send all values through their maps, (P, K, D)."""
        pairs = zip(self._values, maps, strict=True)
        return torch.cat([(v @ rows).flatten(1, 2) for v, rows in pairs], 1)

    def _scale(self, state: ImageState, norm: nn.LayerNorm) -> Tensor:
        """Compute one over the deviation of each row, (P, 1, L)."""
        # |a A + R' B|^2 = a^2 |A|^2 + R . (2 a B A' + B B' R), row by row
        gain = 1.0 if self.gain is None else self.gain
        basis = self._rows_of(state.maps_before_norm)
        crossed = torch.cat(
            [
                shared_product(value, cross).flatten(1, 2)
                for value, cross in zip(self._values, state.cross, strict=True)
            ],
            dim=1,
        )  # B A', (P, K, L)
        inner = torch.baddbmm(
            crossed.mul_(2 * gain), basis @ basis.mT, self.rows
        )
        # Finish the squared lengths, and turn them into a factor.
        square = inner.mul_(self.rows).sum(dim=1, keepdim=True)
        square += state.length * gain**2
        return (square / basis.shape[2] + norm.eps).rsqrt()

    def upscaled(self, points: Tensor) -> Tensor:
        """Apply the first transposed convolution to some points.

        Args:
            points (Tensor): Which, indices, (P',).

        Returns:
            Tensor: The four places of each image token, then the channels,
            (P', L, 4, D / 4).
        """
        image = self.image
        assert self.gain is not None
        # Add up R' B, a A and b, each through the convolution.
        low = self.rows[points].mT @ (self.basis[points] @ image.kernel)
        x = low.addcmul_(self.gain[points].mT, image.upscaled)
        return x.add_(image.upscaled_offset).unflatten(2, (4, -1))
