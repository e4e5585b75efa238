# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Shared pixels against a loop, whatever the blocks and the size."""

import pytest
import torch

from mmfmwsss.models.masks import overlaps
from mmfmwsss.models.masks.overlaps import shared_pixels


@pytest.mark.parametrize('block', [1, 7, 1 << 22])
def test_equals_the_loop(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlaps, '_ELEMENTS_PER_BLOCK', block)
    generator = torch.Generator().manual_seed(0)
    masks = torch.rand(5, 6, 7, generator=generator) > 0.5
    expected = [[int((a & b).sum()) for b in masks] for a in masks]
    assert shared_pixels(masks).tolist() == expected
    # Also of masks that do not lie one behind the other
    turned = shared_pixels(masks.transpose(1, 2))
    assert turned.tolist() == expected


def test_no_mask_and_no_pixel() -> None:
    assert shared_pixels(torch.zeros(0, 3, 4).bool()).shape == (0, 0)
    assert shared_pixels(torch.zeros(2, 3, 0).bool()).tolist() == [[0, 0]] * 2


def test_large_photos_are_counted_exactly() -> None:
    """An odd number above 2^24 has no float32."""
    masks = torch.ones(2, 4097, 4097, dtype=torch.bool)
    masks[1, 0, :3] = False
    assert shared_pixels(masks).tolist() == [
        [4097**2, 4097**2 - 3],
        [4097**2 - 3, 4097**2 - 3],
    ]


def test_masks_are_widened_some_pixels_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All pixels as float32 would take four times the memory of the masks."""
    monkeypatch.setattr(overlaps, '_ELEMENTS_PER_BLOCK', 100)
    widened = []
    to_float = torch.Tensor.float

    def spy(values: torch.Tensor) -> torch.Tensor:
        widened.append(values.numel())
        return to_float(values)

    monkeypatch.setattr(torch.Tensor, 'float', spy)
    shared_pixels(torch.ones(10, 40, 50, dtype=torch.bool))
    assert sum(widened) == 10 * 40 * 50
    assert max(widened) == 100
