# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""oneDNN's product is PyTorch's, and so is its gradient."""

import pytest
import torch
import torch.nn.functional as F
from open_clip.transformer import QuickGELU, ResidualAttentionBlock
from torch import Tensor

from mmfmwsss.models.clip import frozen_linear as module
from mmfmwsss.models.clip.frozen_linear import (
    feed_forward,
    frozen_linear,
    project_heads,
)


def case(*shape: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(*shape, 12, generator=generator)
    weight = torch.randn(7, 12, generator=generator)
    return x, weight, torch.randn(7, generator=generator)


@pytest.mark.parametrize('shape', [(5,), (3, 4), (2, 3, 4)])
@pytest.mark.parametrize('with_bias', [True, False])
def test_equals_linear(shape: tuple[int, ...], with_bias: bool) -> None:
    x, weight, some_bias = case(*shape)
    bias = some_bias if with_bias else None
    views = [(x, weight), (x, weight.T.contiguous().T)]
    if len(shape) > 1:
        views.append((x.transpose(0, 1), weight))
    else:
        views.append((x.T.contiguous().T, weight))
    for a, b in views:
        torch.testing.assert_close(
            frozen_linear(a, b, bias), F.linear(a, b, bias)
        )
        leaf = a.clone().requires_grad_()
        grads = [
            torch.autograd.grad(f(leaf, b, bias).pow(2).sum(), leaf)[0]
            for f in (frozen_linear, F.linear)
        ]
        torch.testing.assert_close(*grads)


def test_onednn_is_used_where_it_can_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not module._has_onednn():
        pytest.skip('this PyTorch has no oneDNN')
    calls: list[Tensor] = []
    original = module._onednn

    def spy(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        calls.append(x)
        return original(x, weight, bias)

    monkeypatch.setattr(module, '_onednn', spy)
    x, weight, bias = case(5)
    frozen_linear(x, weight, bias)
    assert len(calls) == 1
    # these go the usual way
    frozen_linear(x.double(), weight.double(), bias.double())
    frozen_linear(x[:0], weight, bias)
    frozen_linear(x, weight.requires_grad_(), bias).sum().backward()
    assert weight.grad is not None
    weight = weight.detach()
    with torch.autocast('cpu', torch.bfloat16):
        assert frozen_linear(x, weight, bias).dtype == torch.bfloat16
    traced = torch.jit.trace(
        lambda a: frozen_linear(a, weight, bias), x, check_trace=False
    )
    torch.testing.assert_close(traced(x), F.linear(x, weight, bias))
    monkeypatch.setattr(module, '_has_onednn', lambda: False)
    torch.testing.assert_close(
        frozen_linear(x, weight, bias), F.linear(x, weight, bias)
    )
    assert len(calls) == 1


def test_a_second_derivative_is_refused() -> None:
    if not module._has_onednn():
        pytest.skip('this PyTorch has no oneDNN')
    x, weight, bias = case(5)
    x.requires_grad_()
    value = frozen_linear(x, weight, bias).pow(2).sum()
    (grad,) = torch.autograd.grad(value, x, create_graph=True)
    with pytest.raises(RuntimeError, match='differentiate'):
        torch.autograd.grad(grad.sum(), x)


def test_a_block_is_open_clips() -> None:
    torch.manual_seed(0)
    block = ResidualAttentionBlock(
        12, 3, ls_init_value=0.3, act_layer=QuickGELU
    )
    block.eval().requires_grad_(False)
    x = torch.randn(2, 5, 12)
    heads = project_heads(block.attn, block.ln_1(x))
    seen = F.scaled_dot_product_attention(*heads)
    torch.testing.assert_close(feed_forward(block, x, seen), block(x))
