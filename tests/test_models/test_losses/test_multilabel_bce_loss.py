# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""L_BCE against a hand-worked case, a loop over its formula, invariants."""

import math

import pytest
import torch
from mmseg.registry import MODELS
from torch import Tensor

from mmfmwsss.models.losses import MultiLabelBCELoss, multilabel_bce_loss


def loop(logits: Tensor, labels: Tensor, scale: float, bias: float) -> float:
    """Mean over all entries, divided by the scale, as the official code."""
    total = 0.0
    for row, present in zip(logits.tolist(), labels.tolist(), strict=True):
        for y, p in zip(row, present, strict=True):
            probability = 1 / (1 + math.exp(-(scale * y + bias)))
            total -= math.log(probability if p else 1 - probability)
    return total / labels.numel() / scale


def test_by_hand() -> None:
    logits = torch.tensor([[0.0, math.log(3.0)]])
    labels = torch.tensor([[True, False]])
    # -log(1 / 2) and -log(1 - 3 / 4).
    loss = multilabel_bce_loss(logits, labels)
    assert loss.item() == pytest.approx(1.5 * math.log(2))
    loss = MultiLabelBCELoss()(logits, labels)
    assert loss.item() == pytest.approx(1.5 * math.log(2))


@pytest.mark.parametrize(
    ('scale', 'bias'), [(1.0, 0.0), (1.0, -20.0), (0.5, -2.0)]
)
def test_equals_the_loop(scale: float, bias: float) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 5 * torch.randn(6, 7, generator=generator) - bias / scale
    labels = torch.rand(6, 7, generator=generator) < 0.4
    loss = MultiLabelBCELoss(scale=scale, bias=bias)(logits, labels)
    expected = loop(logits.double(), labels, scale, bias)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_any_labels_count() -> None:
    """Unlike a contrast, a question of its own needs no other class."""
    logits = torch.randn(2, 4, requires_grad=True)
    labels = torch.tensor([[True] * 4, [False] * 4])
    loss = MultiLabelBCELoss()(logits, labels)
    assert loss.item() == pytest.approx(loop(logits, labels, 1, 0), rel=1e-5)
    loss.backward()
    assert logits.grad is not None
    assert (logits.grad[0] < 0).all()
    assert (logits.grad[1] > 0).all()
    none = MultiLabelBCELoss()(logits[:0], labels[:0])
    assert none.item() == 0
    none.backward()


def test_saturated_logits_hardly_learn() -> None:
    """What the paper says of this loss, section 4.3."""
    logits = torch.tensor([[25.0, 30.0]], requires_grad=True)
    labels = torch.tensor([[True, False]])
    MultiLabelBCELoss()(logits, labels).backward()
    assert logits.grad is not None
    assert abs(logits.grad[0, 0]) < 1e-10
    shifted = torch.tensor([[25.0, 30.0]], requires_grad=True)
    MultiLabelBCELoss(bias=-25.0)(shifted, labels).backward()
    assert shifted.grad is not None
    assert abs(shifted.grad[0, 0]) == pytest.approx(0.25)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_does_not_overflow(dtype: torch.dtype) -> None:
    logits = torch.tensor([[100.0, -100.0, 90.0]], dtype=dtype)
    labels = torch.tensor([[True, True, False]])
    loss = multilabel_bce_loss(logits, labels)
    torch.testing.assert_close(loss, torch.tensor(190.0 / 3))


def test_scale_and_bias_may_learn() -> None:
    fixed = MultiLabelBCELoss(bias=-20.0)
    assert not list(fixed.parameters())
    assert not fixed.state_dict()  # a checkpoint holds what is learnt
    module = MODELS.build(
        dict(type='MultiLabelBCELoss', bias=-20.0, learnable=True)
    )
    assert {n for n, _ in module.named_parameters()} == {'scale', 'bias'}
    logits, labels = torch.full((1, 2), 21.0), torch.tensor([[True, False]])
    loss = module(logits, labels)
    torch.testing.assert_close(loss, fixed(logits, labels))
    loss.backward()
    # d/db of the mean of softplus(-z) and softplus(z) at z = 1; the division
    # by the scale has no gradient, so that d/ds is 21 times as much.
    sigmoid = 1 / (1 + math.exp(-1))
    expected = (sigmoid - 1 + sigmoid) / 2
    assert module.bias.grad.item() == pytest.approx(expected)
    assert module.scale.grad.item() == pytest.approx(21 * expected)


def test_errors() -> None:
    with pytest.raises(ValueError, match='shape of `logits`'):
        multilabel_bce_loss(torch.zeros(2, 3), torch.zeros(2, 4) > 0)
    with pytest.raises(ValueError, match='positive `scale`'):
        MultiLabelBCELoss(scale=0.0)
