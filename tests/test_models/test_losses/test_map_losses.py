# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Losses of maps where no pixel counts."""

import pytest
import torch

from mmfmwsss.models.losses import (
    CAMActivationLoss,
    CAMCrossEntropyLoss,
    cam_activation_loss,
    cam_cross_entropy_loss,
)
from mmfmwsss.models.losses.map_losses import maps_on_seeds


@pytest.mark.parametrize('average', ['image', 'batch'])
@pytest.mark.parametrize('kind', [CAMActivationLoss, CAMCrossEntropyLoss])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float16])
def test_a_crop_that_is_all_ignored_is_finite(kind, average, dtype):
    loss = kind(average=average)
    cams = torch.randn(3, 2, 2, dtype=dtype, requires_grad=True)
    pairs = torch.tensor([[0, 0], [1, 0], [1, 2]])
    seeds = torch.full((2, 8, 8), 255)
    value = loss(cams, pairs, seeds)
    value.backward()
    assert value == 0 and not cams.grad.any()
    # beside a crop that counts
    seeds[1, :4] = 1
    cams.grad.zero_()
    value = loss(cams, pairs, seeds)
    value.backward()
    assert value.isfinite() and cams.grad.isfinite().all()
    assert not cams.grad[0].any()


def test_no_map_with_an_empty_list_of_pairs():
    cams = torch.zeros(0, 2, 3, requires_grad=True)
    seeds = torch.ones(2, 4, 6, dtype=torch.uint8)
    for loss in (CAMActivationLoss(), CAMCrossEntropyLoss()):
        value = loss(cams, [], seeds)
        value.backward()
        assert value == 0


@pytest.mark.parametrize(
    ('loss', 'function'),
    [
        (CAMActivationLoss(), cam_activation_loss),
        (CAMCrossEntropyLoss(), cam_cross_entropy_loss),
    ],
)
def test_the_default_is_the_average_of_the_paper(loss, function):
    """Within each image, then over those with a pixel that counts: Eq. 15."""
    generator = torch.Generator().manual_seed(0)
    cams = torch.randn(4, 2, 3, generator=generator)
    pairs = torch.tensor([[0, 0], [1, 0], [1, 1], [2, 0]])
    seeds = torch.randint(0, 3, (3, 4, 6), generator=generator)
    seeds[2] = 255

    def alone(image):
        mine = pairs[:, 0] == image
        of_image = pairs[mine] * torch.tensor([0, 1])
        return function(cams[mine], of_image, seeds[image : image + 1])

    expected = (alone(0) + alone(1)) / 2
    torch.testing.assert_close(loss(cams, pairs, seeds), expected)
    torch.testing.assert_close(function(cams, pairs, seeds), expected)


def test_maps_are_enlarged_from_the_centres_of_patches():
    cams = torch.tensor([[[0.0, 4.0]]])
    seeds = torch.zeros(1, 1, 4, dtype=torch.uint8)
    maps, _, _ = maps_on_seeds(cams, torch.tensor([[0, 0]]), seeds)
    assert maps.tolist() == [[[0.0, 1.0, 3.0, 4.0]]]
