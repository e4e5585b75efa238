# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""L_MCL against a hand-worked case, a loop over Eq. 12, and invariants."""

import math
import sys

import pytest
import torch

from mmfmwsss.models.losses import (
    MultiLabelContrastiveLoss,
    contrasted_pairs,
    multilabel_contrastive_loss,
)
from mmfmwsss.utils import UserInputError


def equation_12(logits: torch.Tensor, labels: torch.Tensor) -> list[float]:
    """Per-image loss, written as the paper writes it."""
    losses = []
    rows = zip(logits.double().tolist(), labels.tolist(), strict=True)
    for row, present in rows:
        absent = sum(
            math.exp(y) for y, p in zip(row, present, strict=True) if not p
        )
        terms = [
            -math.log(math.exp(y) / (math.exp(y) + absent))
            for y, p in zip(row, present, strict=True)
            if p
        ]
        losses.append(sum(terms) / len(terms))
    return losses


def test_by_hand() -> None:
    # Class 0 is present and competes with class 2 only, not with class 1.
    logits = torch.tensor([[math.log(3.0), 5.0, 0.0]])
    labels = torch.tensor([[True, True, False]])
    assert contrasted_pairs(labels).tolist() == [[True, True, False]]
    loss = multilabel_contrastive_loss(logits, labels)
    expected = (math.log(4 / 3) + math.log(1 + math.exp(-5))) / 2
    assert loss.item() == pytest.approx(expected)


@pytest.mark.parametrize('scale', [1.0, 10.0])
def test_equals_equation_12(scale: float) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = scale * torch.randn(20, 7, generator=generator)
    labels = torch.rand(20, 7, generator=generator) < 0.4
    labels[:, 0], labels[:, 1] = True, False
    expected = sum(equation_12(logits, labels)) / 20
    for loss in (MultiLabelContrastiveLoss(), multilabel_contrastive_loss):
        value = loss(logits, labels).item()
        assert value == pytest.approx(expected, rel=1e-5)


def test_averages_differ_by_the_weight_of_images() -> None:
    logits = torch.tensor([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    labels = torch.tensor([[True, True, False], [True, False, False]])
    first = math.log(2)  # twice
    second = math.log(1 + 2 * math.exp(-2))
    image = MultiLabelContrastiveLoss(average='image')(logits, labels)
    pair = MultiLabelContrastiveLoss(average='pair')(logits, labels)
    assert image.item() == pytest.approx((first + second) / 2)
    assert pair.item() == pytest.approx((2 * first + second) / 3)


def test_images_without_a_contrast_count_for_nothing() -> None:
    logits = torch.randn(3, 4, requires_grad=True)
    labels = torch.tensor([[True] * 4, [False] * 4, [True] + [False] * 3])
    loss = MultiLabelContrastiveLoss()(logits, labels)
    alone = MultiLabelContrastiveLoss()(logits[2:], labels[2:])
    torch.testing.assert_close(loss, alone)
    loss.backward()
    assert logits.grad is not None
    assert not logits.grad[:2].any()
    nothing = MultiLabelContrastiveLoss()(logits[:2], labels[:2])
    assert nothing.item() == 0
    nothing.backward()
    assert torch.isfinite(logits.grad).all()


def test_classes_may_be_permuted() -> None:
    logits, labels = torch.randn(5, 6), torch.rand(5, 6) < 0.5
    order = torch.randperm(6)
    module = MultiLabelContrastiveLoss()
    torch.testing.assert_close(
        module(logits, labels), module(logits[:, order], labels[:, order])
    )


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_does_not_overflow(dtype: torch.dtype) -> None:
    logits = torch.tensor([[100.0, -100.0, 90.0]], dtype=dtype)
    labels = torch.tensor([[True, True, False]])
    loss = multilabel_contrastive_loss(logits, labels)
    expected = (math.log1p(math.exp(-10)) + 190.0) / 2
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_gradient() -> None:
    labels = torch.tensor([[True, False, True, False]])
    logits = torch.randn(1, 4, dtype=torch.double, requires_grad=True)
    # The loss works in fp32; compare with the closed form in fp64.
    MultiLabelContrastiveLoss()(logits, labels).backward()
    y = logits.detach()[0]
    absent = y[1].exp() + y[3].exp()
    expected = torch.zeros(4, dtype=torch.double)
    for c in (0, 2):
        total = y[c].exp() + absent
        expected[c] += (y[c].exp() / total - 1) / 2
        expected[1] += y[1].exp() / total / 2
        expected[3] += y[3].exp() / total / 2
    torch.testing.assert_close(logits.grad[0], expected, rtol=1e-4, atol=1e-6)


def test_errors() -> None:
    with pytest.raises(ValueError, match='shape of `logits`'):
        multilabel_contrastive_loss(torch.zeros(2, 3), torch.zeros(2, 4) > 0)
    with pytest.raises(ValueError, match="'image' or 'pair'"):
        MultiLabelContrastiveLoss(average='sum')


def test_one_class_is_refused() -> None:
    """Nothing to contrast with: 0 for ever, and nothing learnt."""
    loss = MultiLabelContrastiveLoss()
    with pytest.raises(UserInputError, match="'MultiLabelBCELoss'"):
        loss(torch.randn(4, 1), torch.ones(4, 1, dtype=torch.bool))


def test_says_once_that_no_batch_has_a_pair(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    module = sys.modules[MultiLabelContrastiveLoss.__module__]
    monkeypatch.setattr(
        module, 'print_log', lambda text, *_: said.append(text)
    )
    loss, logits = MultiLabelContrastiveLoss(), torch.randn(2, 3)
    every = torch.ones(2, 3, dtype=torch.bool)
    some = torch.tensor([[True, False, False]] * 2)
    for labels in [every] * 19 + [some] + [every] * 19:
        loss(logits, labels)
    assert not said  # some batches had a pair
    for _ in range(40):
        assert loss(logits, every) == 0
    assert len(said) == 1 and 'for 20 batches in a row' in said[0]


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_finite(dtype: torch.dtype) -> None:
    """CLIP's logits reach 100, whose exponential float16 does not hold."""
    logits = torch.tensor([[100.0, -100.0, 99.0]] * 3, dtype=dtype)
    logits.requires_grad_()
    labels = torch.tensor([[0, 1, 0], [1, 1, 1], [0, 0, 0]]).bool()
    loss = MultiLabelContrastiveLoss()(logits, labels)
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(200.3133, abs=0.5)
    assert logits.grad is not None and logits.grad.isfinite().all()
    assert not logits.grad[1:].any()
