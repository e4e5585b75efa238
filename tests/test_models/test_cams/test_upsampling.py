# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Upsampling by hand, by a slow loop, and of nothing."""

import numpy as np
import pytest
import torch

from mmfmwsss.models.cams import upsample_cams


def slow_bilinear(cam: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Pixel by pixel: centres on centres, edges repeated."""
    result = np.zeros(size)
    for place in np.ndindex(size):
        ends, shares = [], []
        for at, new, old in zip(place, size, cam.shape, strict=True):
            source = np.clip((at + 0.5) * old / new - 0.5, 0, old - 1)
            low = int(source)
            ends.append((low, min(low + 1, old - 1)))
            shares.append((1 - (source - low), source - low))
        result[place] = sum(
            shares[0][i] * shares[1][j] * cam[ends[0][i], ends[1][j]]
            for i in (0, 1)
            for j in (0, 1)
        )
    return result


def test_by_hand():
    cams = torch.tensor([[[0.0, 8.0]]])
    assert upsample_cams(cams, (1, 4)).tolist() == [[[0, 2, 6, 8]]]


@pytest.mark.parametrize('size', [(3, 4), (7, 9), (2, 5)])
def test_equals_a_loop_over_pixels(size):
    cams = np.random.default_rng(0).normal(size=(2, 3, 4))
    maps = upsample_cams(cams, size)
    for cam, resized in zip(cams, maps, strict=True):
        np.testing.assert_allclose(resized, slow_bilinear(cam, size))


def test_signs_and_range_stay():
    cams = torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(0))
    maps = upsample_cams(cams, [16, 20])
    low, high = torch.aminmax(cams.flatten(1), dim=1)
    assert (maps.flatten(1).amin(1) >= low).all()
    assert (maps.flatten(1).amax(1) <= high).all()


def test_no_map():
    assert upsample_cams(torch.zeros(0, 4, 4), (8, 9)).shape == (0, 8, 9)
    empty = upsample_cams(np.zeros((0, 4, 4), np.float32), (8, 9))
    assert isinstance(empty, np.ndarray) and empty.shape == (0, 8, 9)
