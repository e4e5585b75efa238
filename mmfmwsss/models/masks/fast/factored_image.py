# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The image tokens of SAM's decoder, for many points, never multiplied out.

Each block of the decoder adds to the L image tokens what they read from the T
tokens of a point, and normalises every row. What is added has a rank of heads
times T (56 in SAM) and the norm scales rows and columns, so that the image
tokens of a point always are

    X = a A + R' B + b        (L, D)

with A and b shared by all points of the image, and a (L,), R (K, L) and
B (K, D) of few numbers. All that is asked of X is linear in it: the products
with A are made once an image, those with R cost a third of those with X, and
the means and lengths that the norm needs follow likewise. The numbers are
those of the plain decoder up to rounding.

Shapes: P points, T tokens of a point, L image tokens of D channels, h heads
of c channels, K rows.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ['FactoredImage', 'ImageOfPoints', 'split_heads']


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Split (..., N, h c) into heads, (..., h, N, c)."""
    return x.unflatten(-1, (heads, -1)).transpose(-3, -2)


def _centred(x: Tensor) -> Tensor:
    """Subtract the mean over the channels."""
    return x - x.mean(dim=-1, keepdim=True)


def _shared_product(x: Tensor, shared: Tensor) -> Tensor:
    """Multiply (P, h, T, c) by (h, c, L) without a copy of it for each P."""
    points, tokens = x.shape[0], x.shape[2]
    merged = x.transpose(0, 1).flatten(1, 2) @ shared  # (h, P T, L)
    return merged.unflatten(1, (points, tokens)).transpose(0, 1)


@dataclass(frozen=True)
class _State:
    """Hold what all points share of the image tokens between blocks.

    Attributes:
        matrix (Tensor): A, (L, D).
        offset (Tensor): b, (D,).
        maps (list[Tensor]): From the values that the blocks have added, by
            head, to rows of B, (h, c, D) each.
        maps_before_norm (list[Tensor]): The same before the norm's weights.
        length (Tensor): Squared length of the rows of A before the norm's
            weights, (L,).
        cross (list[Tensor]): ``maps_before_norm`` with A, also before the
            norm's weights, (h, c, L) each.
    """

    matrix: Tensor
    offset: Tensor
    maps: list[Tensor]
    maps_before_norm: list[Tensor]
    length: Tensor
    cross: list[Tensor]

    @classmethod
    def first(cls, image: Tensor) -> '_State':
        """Make the state before the first block."""
        offset = image.new_zeros(image.shape[1])
        return cls(image, offset, [], [], image.new_zeros(0), [])

    def after(self, output: nn.Linear, heads: int, norm: Any) -> '_State':
        """Make the state after values were projected, added and normalised."""
        # Project the values and centre all rows, as the norm does.
        added = output.weight.T.unflatten(0, (heads, -1))
        constant = output.bias + self.offset
        maps = [_centred(rows) for rows in (*self.maps, added)]
        if self.maps:
            matrix = _centred(self.matrix)
            maps.append(_centred(constant).view(1, 1, -1))
        else:  # a = 1, so the constant fits into A
            matrix = _centred(self.matrix + constant)
        # Give A and B the norm's weights, and keep what its lengths need.
        return _State(
            matrix=matrix * norm.weight,
            offset=norm.bias,
            maps=[rows * norm.weight for rows in maps],
            maps_before_norm=maps,
            length=matrix.square().sum(dim=1),
            cross=[rows @ matrix.T for rows in maps],
        )


class _Projection:
    """Image-side projection of one cross-attention."""

    def __init__(self, projection: nn.Linear, heads: int) -> None:
        self.linear = projection
        self.heads = heads

    def of_matrix(self, x: Tensor) -> Tensor:
        """Project (L, D) to (h, L, c), without the bias."""
        return split_heads(x @ self.linear.weight.T, self.heads)

    def of_basis(self, basis: Tensor) -> Tensor:
        """Project (P, K, D) to (P, h, K, c), without the bias."""
        return split_heads(basis @ self.linear.weight.T, self.heads)


class _Scores:
    """Inner products of the image, with its places, and queries."""

    def __init__(
        self, projection: nn.Linear, heads: int, state: _State, place: Tensor
    ) -> None:
        self.project = _Projection(projection, heads)
        self.image = self.project.of_matrix(state.matrix).mT.contiguous()
        fixed = self.project.of_matrix(place + state.offset)
        fixed = fixed + projection.bias.unflatten(0, (heads, 1, -1))
        self.fixed = fixed.mT.contiguous()  # (h, c, L)
        self.both = self.image + self.fixed

    def __call__(self, x: 'ImageOfPoints', queries: Tensor) -> Tensor:
        """Multiply with queries (P, h, T, c), giving (P, h, T, L)."""
        if x.gain is None:
            return _shared_product(queries, self.both)
        # Add up the products with a A, b and the places.
        scores = _shared_product(queries, self.image) * x.gain[:, None]
        scores += _shared_product(queries, self.fixed)
        # Add the products with the rows of low rank, R' B.
        weights = queries @ self.project.of_basis(x.basis).mT  # (P, h, T, K)
        low = weights.flatten(1, 2) @ x.rows
        return scores.add_(low.view(scores.shape))


class _Values:
    """Weighted means of the image."""

    def __init__(
        self, projection: nn.Linear, heads: int, state: _State
    ) -> None:
        self.project = _Projection(projection, heads)
        self.image = self.project.of_matrix(state.matrix)  # (h, L, c)
        fixed = projection.weight @ state.offset + projection.bias
        self.fixed = fixed.unflatten(0, (heads, 1, -1))

    def __call__(self, x: 'ImageOfPoints', weights: Tensor) -> Tensor:
        """Average by weights (P, h, T, L) of sum 1, giving (P, h, T, c)."""
        if x.gain is None:
            return _shared_product(weights, self.image) + self.fixed
        # Average R first, which has few rows, then project it.
        rows = weights.flatten(1, 2) @ x.rows.mT  # (P, h T, K)
        rows = rows.view(*weights.shape[:3], -1)
        low = rows @ self.project.of_basis(x.basis)
        # Average A with its gain, and add both and b.
        weighted = weights * x.gain[:, None]
        return _shared_product(weighted, self.image) + low + self.fixed


class FactoredImage:
    """Compute once what the points of an image share.

    Args:
        decoder (MaskDecoder): segment_anything's.
        image (Tensor): Image tokens before the first block, (L, D).
        place (Tensor): Their positional encoding, (L, D).
    """

    def __init__(self, decoder: Any, image: Tensor, place: Tensor) -> None:
        transformer = decoder.transformer
        state = _State.first(image)
        self.blocks = transformer.layers
        self.token_to_image: list[tuple[_Scores, _Values]] = []
        self.image_to_token: list[_Scores] = []
        self.states: list[_State] = []
        # Prepare both attentions of each block on the state before it.
        for block in self.blocks:
            self._add_token_to_image(
                block.cross_attn_token_to_image, state, place
            )
            attention = block.cross_attn_image_to_token
            heads = attention.num_heads
            self.image_to_token.append(
                _Scores(attention.q_proj, heads, state, place)
            )
            state = state.after(attention.out_proj, heads, block.norm4)
            self.states.append(state)
        self._add_token_to_image(
            transformer.final_attn_token_to_image, state, place
        )
        # Upscale A and b once; the points add what is theirs.
        upscale = decoder.output_upscaling[0]
        # (D, D / 4, 2, 2) to (D, 4 D / 4): the channels last
        self.kernel = upscale.weight.permute(0, 2, 3, 1).flatten(1)
        self.upscaled = state.matrix @ self.kernel
        self.upscaled_offset = state.offset @ self.kernel
        self.upscaled_offset = self.upscaled_offset + upscale.bias.repeat(4)

    @property
    def elements_per_point(self) -> int:
        """Numbers in the largest tensor that decoding a point needs."""
        tokens = 7  # IoU, four masks, the point and its padding
        heads = sum(block.self_attn.num_heads for block in self.blocks)
        return heads * tokens * len(self.upscaled)

    def _add_token_to_image(
        self, attention: Any, state: _State, place: Tensor
    ) -> None:
        heads = attention.num_heads
        self.token_to_image.append(
            (
                _Scores(attention.k_proj, heads, state, place),
                _Values(attention.v_proj, heads, state),
            )
        )


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

    def _scale(self, state: _State, norm: nn.LayerNorm) -> Tensor:
        """Compute one over the deviation of each row, (P, 1, L)."""
        # |a A + R' B|^2 = a^2 |A|^2 + R . (2 a B A' + B B' R), row by row
        gain = 1.0 if self.gain is None else self.gain
        basis = self._rows_of(state.maps_before_norm)
        crossed = torch.cat(
            [
                _shared_product(value, cross).flatten(1, 2)
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
