# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""L_CAL against a hand-worked case, loops over Eq. 13 to 15, invariants."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mmfmwsss.models.losses import CAMActivationLoss, cam_activation_loss


def equations_13_to_15(
    cams: Tensor, pairs: Tensor, seeds: Tensor, average: str
) -> float:
    """Pixel by pixel, on maps that already have the seeds' size."""
    total: dict[int, float] = {}
    pixels: dict[int, int] = {}
    for cam, (image, category) in zip(cams, pairs.tolist(), strict=True):
        seed = seeds[image]
        inside = [
            cam[y, x].item()
            for y in range(seed.shape[0])
            for x in range(seed.shape[1])
            if seed[y, x] == category + 1
        ]
        peak = max([0.0, *inside])
        for y in range(seed.shape[0]):
            for x in range(seed.shape[1]):
                value = cam[y, x].item()
                if seed[y, x] == 255:
                    continue
                pixels[image] = pixels.get(image, 0) + 1
                term = max(value, 0.0)
                if seed[y, x] == category + 1:
                    term = abs(peak - value)
                total[image] = total.get(image, 0.0) + term
    if average == 'batch':
        return sum(total.values()) / sum(pixels.values())
    return sum(total[i] / pixels[i] for i in pixels) / len(pixels)


def test_by_hand() -> None:
    cams = torch.tensor([[[3.0, 1.0], [2.0, -4.0]]])
    pairs = torch.tensor([[0, 0]])
    seeds = torch.tensor([[[1, 1], [0, 0]]])
    # Inside |3 - 3| + |3 - 1| = 2, outside 2 + max(-4, 0) = 2, over 4 pixels.
    assert cam_activation_loss(cams, pairs, seeds).item() == 1.0
    seeds[0, 1, 0] = 255  # leaves 2 over 3 pixels
    loss = cam_activation_loss(cams, pairs, seeds)
    assert loss.item() == pytest.approx(2 / 3)
    seeds[0, 1, 0] = 0
    assert CAMActivationLoss()(cams, pairs, seeds).item() == 1.0


def random_case(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    pairs = torch.tensor([[0, 1], [0, 2], [1, 0], [3, 2]])
    cams = torch.randn(4, 5, 6, generator=generator)
    seeds = torch.randint(0, 4, (4, 5, 6), generator=generator)
    seeds[torch.rand(4, 5, 6, generator=generator) < 0.1] = 255
    return cams, pairs, seeds


@pytest.mark.parametrize('average', ['image', 'batch'])
@pytest.mark.parametrize('seed', [0, 1])
def test_equals_the_loop(average: str, seed: int) -> None:
    cams, pairs, seeds = random_case(seed)
    loss = CAMActivationLoss(average=average)(cams, pairs, seeds)
    expected = equations_13_to_15(cams, pairs, seeds, average)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_maps_are_upsampled_to_the_seeds() -> None:
    cams, pairs, _ = random_case(0)
    seeds = torch.randint(0, 4, (4, 20, 24))
    large = F.interpolate(
        cams[None], size=(20, 24), mode='bilinear', align_corners=False
    )[0]
    module = CAMActivationLoss()
    torch.testing.assert_close(
        module(cams, pairs, seeds), module(large, pairs, seeds)
    )


def test_the_peak_gets_no_gradient_from_the_others() -> None:
    cams = torch.tensor([[[3.0, 1.0], [-2.0, 0.5]]], requires_grad=True)
    seeds = torch.tensor([[[1, 1], [0, 0]]])
    CAMActivationLoss()(cams, torch.tensor([[0, 0]]), seeds).backward()
    assert cams.grad is not None
    # The peak stays, the low inside rises, the negative outside is left.
    assert cams.grad.tolist() == [[[0.0, -0.25], [0.0, 0.25]]]


def test_a_perfect_map_costs_nothing() -> None:
    seeds = torch.tensor([[[1, 1, 0], [0, 2, 2]]])
    cams = torch.stack([(seeds[0] == 1) * 5.0, (seeds[0] == 2) * 0.1])
    pairs = torch.tensor([[0, 0], [0, 1]])
    assert CAMActivationLoss()(cams, pairs, seeds).item() == 0


@pytest.mark.parametrize('average', ['image', 'batch'])
def test_nothing_to_count_is_zero_and_has_a_gradient(average: str) -> None:
    cams = torch.randn(2, 4, 4, requires_grad=True)
    pairs = torch.tensor([[0, 0], [1, 1]])
    module = CAMActivationLoss(average=average)
    loss = module(cams, pairs, torch.full((2, 4, 4), 255))
    assert loss.item() == 0
    loss.backward()
    assert cams.grad is not None
    assert not cams.grad.any()
    nobody = torch.randn(0, 4, 4, requires_grad=True)
    none = module(nobody, torch.zeros(0, 2, dtype=torch.long), pairs[None])
    assert none.item() == 0


def test_errors() -> None:
    with pytest.raises(ValueError, match="'image' or 'batch'"):
        CAMActivationLoss(average='sum')
