# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Linear layers whose weights never change."""

from typing import Any

import torch
import torch.nn.functional as F
from open_clip.transformer import ResidualAttentionBlock
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

__all__ = ['feed_forward', 'frozen_linear', 'project_heads']


def frozen_linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Apply ``F.linear`` with a frozen weight, on a CPU by oneDNN.

    There PyTorch takes MKL, which leaves half of an AMD processor's speed
    unused. The gradient with respect to ``x`` is by oneDNN, too; it cannot be
    differentiated again. A trace, such as mmengine counts operations by, has
    ``F.linear``.

    Args:
        x (Tensor): (..., D).
        weight (Tensor): (D', D), a transposed view included.
        bias (Tensor, optional): (D',).

    Returns:
        Tensor: (..., D').
    """
    # Leave to PyTorch what oneDNN cannot do, or not faster
    plain = (
        x.device.type != 'cpu'
        or x.dtype != torch.float32
        or weight.dtype != torch.float32
        or weight.requires_grad
        or not x.numel()
        or torch.is_autocast_enabled('cpu')
        or torch.jit.is_tracing()
        or not _has_onednn()
    )
    if plain:
        return F.linear(x, weight, bias)
    # Keep a graph only where a gradient is asked for
    if x.requires_grad and torch.is_grad_enabled():
        return _OneDNNLinear.apply(x, weight, bias)
    return _onednn(x, weight, bias)


def _has_onednn() -> bool:
    return torch.backends.mkldnn.is_available() and hasattr(
        torch.ops.mkldnn, '_linear_pointwise'
    )


def _onednn(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(
        x.contiguous(), weight, bias, 'none', [], ''
    )


class _OneDNNLinear(torch.autograd.Function):
    """Differentiable with respect to the input, once."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None
    ) -> Tensor:
        ctx.save_for_backward(weight)
        return _onednn(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None]:
        (weight,) = ctx.saved_tensors
        (grad,) = grad_outputs
        return _onednn(grad, weight.T, None), None, None


def project_heads(
    attention: nn.MultiheadAttention, x: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Project tokens (N, L, D) to query, key, value (N, heads, L, D')."""
    projected = frozen_linear(
        x, attention.in_proj_weight, attention.in_proj_bias
    )
    query, key, value = (
        part.unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)
        for part in projected.chunk(3, dim=-1)
    )
    return query, key, value


def feed_forward(
    block: ResidualAttentionBlock, x: Tensor, seen: Tensor
) -> Tensor:
    """Finish a block: project the heads' output, then run the MLP.

    Args:
        block (ResidualAttentionBlock): Of open_clip.
        x (Tensor): Input of the block, (N, L, D).
        seen (Tensor): Output of the heads, (N, heads, L, D').

    Returns:
        Tensor: Output of the block, (N, L, D).
    """
    output, mlp = block.attn.out_proj, block.mlp
    # Add the output of the attention
    update = frozen_linear(
        seen.transpose(1, 2).flatten(2), output.weight, output.bias
    )
    x = x + block.ls_1(update)
    # Add the output of the MLP
    hidden = frozen_linear(block.ln_2(x), mlp.c_fc.weight, mlp.c_fc.bias)
    update = frozen_linear(
        mlp.gelu(hidden), mlp.c_proj.weight, mlp.c_proj.bias
    )
    return x + block.ls_2(update)
