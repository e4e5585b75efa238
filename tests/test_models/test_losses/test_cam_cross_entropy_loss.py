# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""L_CE against a hand-worked case, a loop over pixels, invariants."""

import math

import pytest
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor

from mmfmwsss.models.losses import (
    CAMActivationLoss,
    CAMCrossEntropyLoss,
    cam_cross_entropy_loss,
)


def loop(cams: Tensor, pairs: Tensor, seeds: Tensor, average: str) -> float:
    """Pixel by pixel, on maps that already have the seeds' size."""
    losses: dict[int, list[float]] = {}
    for cam, (image, category) in zip(cams, pairs.tolist(), strict=True):
        for value, label in zip(
            cam.flatten().tolist(),
            seeds[image].flatten().tolist(),
            strict=True,
        ):
            if label == 255:
                continue
            probability = 1 / (1 + math.exp(-value))
            if label != category + 1:
                probability = 1 - probability
            losses.setdefault(image, []).append(-math.log(probability))
    if average == 'batch':
        values = [v for per_image in losses.values() for v in per_image]
        return sum(values) / len(values)
    return sum(sum(v) / len(v) for v in losses.values()) / len(losses)


def random_case(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    pairs = torch.tensor([[0, 1], [0, 2], [1, 0], [3, 2]])
    cams = torch.randn(4, 5, 6, generator=generator)
    seeds = torch.randint(0, 4, (4, 5, 6), generator=generator)
    seeds[torch.rand(4, 5, 6, generator=generator) < 0.1] = 255
    return cams, pairs, seeds


def test_by_hand() -> None:
    three = math.log(3.0)  # sigmoid 3 / 4
    cams = torch.tensor([[[three, 0.0], [0.0, -three]]])
    seeds = torch.tensor([[[1, 0], [2, 255]]])
    # In the seed -log(3 / 4), outside of it twice -log(1 / 2).
    loss = cam_cross_entropy_loss(cams, torch.tensor([[0, 0]]), seeds)
    expected = (math.log(4 / 3) + 2 * math.log(2)) / 3
    assert loss.item() == pytest.approx(expected)


@pytest.mark.parametrize('average', ['image', 'batch'])
@pytest.mark.parametrize('seed', [0, 1])
def test_equals_the_loop(average: str, seed: int) -> None:
    cams, pairs, seeds = random_case(seed)
    loss = CAMCrossEntropyLoss(average=average)(cams, pairs, seeds)
    expected = loop(cams, pairs, seeds, average)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_it_replaces_l_cal_in_a_config() -> None:
    case = random_case(0)
    for kind in (CAMActivationLoss, CAMCrossEntropyLoss):
        module = MODELS.build(dict(type=kind.__name__, average='batch'))
        assert module(*case).ndim == 0
    assert CAMCrossEntropyLoss().loss_name == 'loss_ce'


def test_maps_are_upsampled_to_the_seeds() -> None:
    cams, pairs, _ = random_case(0)
    seeds = torch.randint(0, 4, (4, 20, 24))
    large = F.interpolate(
        cams[None], size=(20, 24), mode='bilinear', align_corners=False
    )[0]
    module = CAMCrossEntropyLoss()
    torch.testing.assert_close(
        module(cams, pairs, seeds), module(large, pairs, seeds)
    )


def test_small_activations_cost_the_same_wherever_they_are() -> None:
    """Why the paper does not use it: GradCAM's values are near 0."""
    seeds = torch.tensor([[[1, 1], [0, 0]]])
    pairs = torch.tensor([[0, 0]])
    right = 1e-3 * (seeds == 1).float()
    wrong = 1e-3 * (seeds == 0).float()
    module = CAMCrossEntropyLoss()
    assert module(right, pairs, seeds) < module(wrong, pairs, seeds)
    for cams in (right, wrong):
        loss = module(cams, pairs, seeds).item()
        assert loss == pytest.approx(math.log(2), abs=1e-3)


@pytest.mark.parametrize('average', ['image', 'batch'])
@pytest.mark.parametrize('kind', [CAMActivationLoss, CAMCrossEntropyLoss])
def test_nothing_to_count_is_zero_and_has_a_gradient(
    kind: type, average: str
) -> None:
    cams = torch.randn(2, 4, 4, requires_grad=True)
    pairs = torch.tensor([[0, 0], [1, 1]])
    module = kind(average=average)
    seeds = torch.full((2, 4, 4), 255)
    loss = module(cams, pairs, seeds)
    assert loss.item() == 0
    loss.backward()
    assert cams.grad is not None
    assert not cams.grad.any()
    nobody = torch.randn(0, 4, 4, requires_grad=True)
    none = module(nobody, torch.zeros(0, 2, dtype=torch.long), seeds)
    assert none.item() == 0
    none.backward()
    # A crop that is ignored whole does not change the others' average.
    seeds[0] = torch.randint(0, 3, (4, 4))
    both = module(cams, pairs, seeds)
    torch.testing.assert_close(both, module(cams[:1], pairs[:1], seeds[:1]))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
@pytest.mark.parametrize('kind', [CAMActivationLoss, CAMCrossEntropyLoss])
def test_half_precision_is_summed_in_full(
    kind: type, dtype: torch.dtype
) -> None:
    # 4 maps of 300 x 300 pixels sum to far more than fp16's 65,504.
    cams = (20 * torch.randn(4, 30, 30)).to(dtype).requires_grad_()
    pairs = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 2]])
    seeds = torch.randint(0, 4, (2, 300, 300))
    loss = kind()(cams, pairs, seeds)
    expected = kind()(cams.detach().float(), pairs, seeds)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert cams.grad is not None
    assert torch.isfinite(cams.grad).all()


def test_errors() -> None:
    with pytest.raises(ValueError, match="'image' or 'batch'"):
        CAMCrossEntropyLoss(average='sum')
