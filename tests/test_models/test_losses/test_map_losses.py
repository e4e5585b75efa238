# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Losses of maps where no pixel counts."""

import pytest
import torch

from mmfmwsss.models.losses import CAMActivationLoss, CAMCrossEntropyLoss


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
