# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Sums over masks."""

import pytest
import torch

from mmfmwsss.models.seeding import pooling


@pytest.mark.parametrize('block', [7, 1 << 20])
def test_sums_against_loop(monkeypatch, block):
    monkeypatch.setattr(pooling, '_ELEMENTS_PER_BLOCK', block)
    masks = torch.rand(9, 5, 6) > 0.5
    maps = torch.randn(4, 5, 6)
    sums, areas = pooling.mask_sums(masks, maps)
    for s in range(9):
        assert areas[s] == masks[s].sum()
        for c in range(4):
            torch.testing.assert_close(sums[s, c], maps[c][masks[s]].sum())


def test_sums_of_nothing():
    none = torch.zeros(0, 2, 3, dtype=torch.bool)
    sums, areas = pooling.mask_sums(none, torch.rand(2, 2, 3))
    assert sums.shape == (0, 2) and areas.shape == (0,)
    some = torch.ones(2, 2, 3, dtype=torch.bool)
    sums, areas = pooling.mask_sums(some, torch.rand(0, 2, 3))
    assert sums.shape == (2, 0) and areas.tolist() == [6, 6]


def test_sums_need_one_size():
    with pytest.raises(ValueError, match='agree in size'):
        pooling.mask_sums(torch.ones(1, 2, 2) > 0, torch.ones(1, 3, 2))
