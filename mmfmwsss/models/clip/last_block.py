# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The last block of the image tower and its derivative, in closed form.

Softmax-GradCAM needs the derivative J of the image embedding with respect to
the last block's normalised input, and only two things of it: the mean over
the patches of J^T v, and J applied to one vector spread over the patches. Both
are sums over tokens, which the projections let pass: no token-wise gradient of
query, key and value is ever made, and nothing of size L x L but the attention
weights of the forward pass.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from open_clip import CLIP
from torch import Tensor, nn

from .frozen_linear import frozen_linear, project_heads

__all__ = ['LastBlock', 'attention_weights', 'split_heads']

# Pairs at once on a CPU: what these need stays in its caches
_CPU_PAIRS = 4
# Bytes that the pairs at once may take on any device
_BYTES_OF_PAIRS = 1 << 30


class _Norm(NamedTuple):
    """A layer norm at a point.

    Attributes:
        unit (Tensor): Normalised input, (N, hw, D).
        inverse_deviation (Tensor): (N, hw, 1).
        weight (Tensor): (D,).
    """

    unit: Tensor
    inverse_deviation: Tensor
    weight: Tensor

    def apply_jacobian(self, vector: Tensor, images: Tensor) -> Tensor:
        """Multiply by the Jacobian without the weight, which is symmetric.

        Args:
            vector (Tensor): (P, hw, D).
            images (Tensor): Index of the image of each pair, int64, (P,).
        """
        unit = self.unit[images]
        # Leave out what the norm removes: changes of scale and of mean
        along = (vector * unit).mean(dim=-1, keepdim=True)
        turned = vector - vector.mean(dim=-1, keepdim=True)
        turned = turned.addcmul_(unit, along, value=-1)
        return turned.mul_(self.inverse_deviation[images])


def _normalise(norm: nn.LayerNorm, x: Tensor) -> tuple[Tensor, _Norm]:
    variance, mean = torch.var_mean(x, dim=-1, correction=0, keepdim=True)
    inverse = (variance + norm.eps).rsqrt()
    unit = (x - mean) * inverse
    return unit * norm.weight + norm.bias, _Norm(unit, inverse, norm.weight)


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Split tokens (..., L, D) into heads (..., heads, L, D / heads)."""
    return x.unflatten(-1, (heads, -1)).transpose(-3, -2)


def _merge_heads(x: Tensor) -> Tensor:
    return x.transpose(-3, -2).flatten(-2)


def attention_weights(query: Tensor, key: Tensor) -> Tensor:
    """Take the softmax of scaled products, (..., heads, queries, keys)."""
    scores = query @ key.transpose(-1, -2)
    return scores.mul_(query.shape[-1] ** -0.5).softmax(dim=-1)


class LastBlock:
    """Run last block and head of the image tower, and their derivatives.

    The head averages the patch tokens, so the class token is a key and a
    value, and never a query.

    Args:
        model (CLIP): The frozen model.
        tokens (Tensor): Normalised input of the block, class token first,
            (N, L, D).
        residual (Tensor): Its input before the normalisation, (N, L, D).

    Attributes:
        embedding (Tensor): Image embeddings, not normalised, (N, E).
    """

    def __init__(self, model: CLIP, tokens: Tensor, residual: Tensor) -> None:
        visual = model.visual
        self.block = visual.transformer.resblocks[-1]
        self.proj: Tensor = visual.proj
        # Attend from the patches to all tokens
        attention = self.block.attn
        self.heads: int = attention.num_heads
        query, self.key, self.value = project_heads(attention, tokens)
        self.query = query[..., 1:, :]  # (N, heads, hw, D')
        self.weights = attention_weights(self.query, self.key)
        self.output = self.weights @ self.value  # (N, heads, hw, D')
        # Add the heads' output to the patches
        x = residual[:, 1:] + self.block.ls_1(
            _apply(attention.out_proj, _merge_heads(self.output))
        )
        # Run the MLP, and keep the slope of its activation
        normalised, self.norm_2 = _normalise(self.block.ln_2, x)
        hidden, self.slope = _with_slope(
            self.block.mlp.gelu, _apply(self.block.mlp.c_fc, normalised)
        )
        x = x + self.block.ls_2(_apply(self.block.mlp.c_proj, hidden))
        # Average the normalised patches, and project them
        normalised, self.norm_post = _normalise(visual.ln_post, x)
        self.embedding = normalised.mean(dim=1) @ self.proj

    def pull_back(self, vectors: Tensor, images: Tensor) -> Tensor:
        """Average J^T v over the patches.

        Args:
            vectors (Tensor): v of each pair, (P, E).
            images (Tensor): Index of the image of each pair, int64, (P,).

        Returns:
            Tensor: (P, D).
        """
        parts = self._parts(vectors, images)
        return torch.cat([self._pull_back(*part) for part in parts])

    def push_forward(self, vectors: Tensor, images: Tensor) -> Tensor:
        """Apply J to a vector spread over the patches; the adjoint.

        Args:
            vectors (Tensor): Of each pair, (P, D).
            images (Tensor): Index of the image of each pair, int64, (P,).

        Returns:
            Tensor: (P, E).
        """
        parts = self._parts(vectors, images)
        return torch.cat([self._push_forward(*part) for part in parts])

    def _parts(
        self, vectors: Tensor, images: Tensor
    ) -> Sequence[tuple[Tensor, Tensor]]:
        # A copy of weights and slope for each pair, and as much in between
        bytes_of_pair = 2 * (self.weights[0].nbytes + self.slope[0].nbytes)
        size = max(1, _BYTES_OF_PAIRS // bytes_of_pair)
        if vectors.device.type == 'cpu':
            size = min(size, _CPU_PAIRS)
        return list(zip(vectors.split(size), images.split(size), strict=True))

    def _pull_back(self, vectors: Tensor, images: Tensor) -> Tensor:
        block, patches = self.block, self.query.shape[-2]
        # Back through the head
        grad = vectors @ self.proj.T / patches * self.norm_post.weight
        grad = self.norm_post.apply_jacobian(
            grad[:, None].expand(-1, patches, -1), images
        )
        # Back through the MLP, and past it
        hidden = _transposed(block.mlp.c_proj, block.ls_2(grad))
        hidden = hidden.mul_(self.slope[images])
        normalised = _transposed(block.mlp.c_fc, hidden)
        normalised = normalised.mul_(self.norm_2.weight)
        grad = grad + self.norm_2.apply_jacobian(normalised, images)
        # Back through the output projection, head by head
        grad = _transposed(block.attn.out_proj, block.ls_1(grad))
        grad = split_heads(grad, self.heads)  # of the output, (P, h, hw, D')

        # Back through the attention, summed over the patches
        query, key = self.query[images], self.key[images]
        value, weights = self.value[images], self.weights[images]
        # Sum the gradient of the scores over the queries, key by key
        shift = (grad * self.output[images]).sum(dim=-1, keepdim=True)
        back = weights.transpose(-1, -2)
        column = ((back @ grad) * value).sum(dim=-1, keepdim=True)
        column = column - back @ shift  # of the scores' gradient, summed
        # Take the share of the class token's key apart
        to_class = weights[..., :1]
        first = to_class * (grad @ value[..., 0, :, None] - shift)
        scale = query.shape[-1] ** -0.5
        # Rows of the scores' gradient sum to 0, those of the weights to 1
        grad_query = scale * (column * key).sum(dim=-2)
        grad_key = -scale * (first * query).sum(dim=-2)
        grad_value = ((1 - to_class) * grad).sum(dim=-2)
        # Back through the input projection, averaged over the patches
        grads = [
            part.flatten(1) for part in (grad_query, grad_key, grad_value)
        ]
        return torch.cat(grads, dim=1) @ block.attn.in_proj_weight / patches

    def _push_forward(self, vectors: Tensor, images: Tensor) -> Tensor:
        block, patches = self.block, self.query.shape[-2]
        # Move query, key and value
        moves = vectors / patches @ block.attn.in_proj_weight.T
        move_query, move_key, move_value = (
            part.unflatten(-1, (self.heads, 1, -1))  # (P, h, 1, D')
            for part in moves.chunk(3, dim=-1)
        )
        # Take what the block computed at these images
        query, key = self.query[images], self.key[images]
        value, weights = self.value[images], self.weights[images]
        output = self.output[images]
        scale = query.shape[-1] ** -0.5
        # The scores move by a term of the key and, unless the key is the
        # class token's, by a term of the query.
        by_key = scale * (key * move_query).sum(dim=-1, keepdim=True)
        by_query = scale * (query * move_key).sum(dim=-1, keepdim=True)
        to_class = weights[..., :1]
        # Differentiate the softmax and the values that it averages
        moved = weights @ (by_key * value) - (weights @ by_key) * output
        moved += by_query * to_class * (output - value[..., :1, :])
        moved += (1 - to_class) * move_value
        # Forward through the output projection
        moved = _apply(block.attn.out_proj, _merge_heads(moved), bias=False)
        x = block.ls_1(moved)
        normalised = self.norm_2.apply_jacobian(x, images).mul_(
            self.norm_2.weight
        )
        # Forward through the MLP, its activation linear around its input
        hidden = _apply(block.mlp.c_fc, normalised, bias=False)
        hidden = hidden.mul_(self.slope[images])
        x = x + block.ls_2(_apply(block.mlp.c_proj, hidden, bias=False))
        # Forward through the head, averaged over the patches
        moved = self.norm_post.apply_jacobian(x, images).mean(dim=1)
        return (moved * self.norm_post.weight) @ self.proj


def _apply(layer: nn.Linear, x: Tensor, bias: bool = True) -> Tensor:
    return frozen_linear(x, layer.weight, layer.bias if bias else None)


def _transposed(layer: nn.Linear, x: Tensor) -> Tensor:
    return frozen_linear(x, layer.weight.T, None)


def _with_slope(activation: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """Evaluate an elementwise activation and its derivative."""
    # The stubs also know a variant with auxiliary outputs
    value, slope = torch.func.jvp(  # type: ignore[misc]
        activation, (x,), (torch.ones_like(x),)
    )
    return value, slope
