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
those of the plain decoder up to rounding. Here is what the points share;
``image_of_points.py`` has what is theirs.

Shapes: P points, T tokens of a point, L image tokens of D channels, h heads
of c channels, K rows.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

if TYPE_CHECKING:
    from .image_of_points import ImageOfPoints

__all__ = ['FactoredImage', 'ImageState', 'shared_product', 'split_heads']


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Split (..., N, h c) into heads, (..., h, N, c)."""
    return x.unflatten(-1, (heads, -1)).transpose(-3, -2)


def _centred(x: Tensor) -> Tensor:
    """Subtract the mean over the channels."""
    return x - x.mean(dim=-1, keepdim=True)


def shared_product(x: Tensor, shared: Tensor) -> Tensor:
    """Multiply (P, h, T, c) by (h, c, L) without a copy of it for each P."""
    points, tokens = x.shape[0], x.shape[2]
    merged = x.transpose(0, 1).flatten(1, 2) @ shared  # (h, P T, L)
    return merged.unflatten(1, (points, tokens)).transpose(0, 1)


@dataclass(frozen=True)
class ImageState:
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
    def first(cls, image: Tensor) -> 'ImageState':
        """Make the state before the first block."""
        offset = image.new_zeros(image.shape[1])
        return cls(image, offset, [], [], image.new_zeros(0), [])

    def after(self, output: nn.Linear, heads: int, norm: Any) -> 'ImageState':
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
        return ImageState(
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
        self,
        projection: nn.Linear,
        heads: int,
        state: ImageState,
        place: Tensor,
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
            return shared_product(queries, self.both)
        # Add up the products with a A, b and the places.
        scores = shared_product(queries, self.image) * x.gain[:, None]
        scores += shared_product(queries, self.fixed)
        # Add the products with the rows of low rank, R' B.
        weights = queries @ self.project.of_basis(x.basis).mT  # (P, h, T, K)
        low = weights.flatten(1, 2) @ x.rows
        return scores.add_(low.view(scores.shape))


class _Values:
    """Weighted means of the image."""

    def __init__(
        self, projection: nn.Linear, heads: int, state: ImageState
    ) -> None:
        self.project = _Projection(projection, heads)
        self.image = self.project.of_matrix(state.matrix)  # (h, L, c)
        fixed = projection.weight @ state.offset + projection.bias
        self.fixed = fixed.unflatten(0, (heads, 1, -1))

    def __call__(self, x: 'ImageOfPoints', weights: Tensor) -> Tensor:
        """Average by weights (P, h, T, L) of sum 1, giving (P, h, T, c)."""
        if x.gain is None:
            return shared_product(weights, self.image) + self.fixed
        # Average R first, which has few rows, then project it.
        rows = weights.flatten(1, 2) @ x.rows.mT  # (P, h T, K)
        rows = rows.view(*weights.shape[:3], -1)
        low = rows @ self.project.of_basis(x.basis)
        # Average A with its gain, and add both and b.
        weighted = weights * x.gain[:, None]
        return shared_product(weighted, self.image) + low + self.fixed


class FactoredImage:
    """Compute once what the points of an image share.

    Args:
        decoder (MaskDecoder): segment_anything's.
        image (Tensor): Image tokens before the first block, (L, D).
        place (Tensor): Their positional encoding, (L, D).
    """

    def __init__(self, decoder: Any, image: Tensor, place: Tensor) -> None:
        transformer = decoder.transformer
        state = ImageState.first(image)
        self.blocks = transformer.layers
        self.token_to_image: list[tuple[_Scores, _Values]] = []
        self.image_to_token: list[_Scores] = []
        self.states: list[ImageState] = []
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
        self, attention: Any, state: ImageState, place: Tensor
    ) -> None:
        heads = attention.num_heads
        self.token_to_image.append(
            (
                _Scores(attention.k_proj, heads, state, place),
                _Values(attention.v_proj, heads, state),
            )
        )
