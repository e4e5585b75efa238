# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeding: sums of maps over masks, a few pixels of all masks at a time."""

from collections.abc import Iterator

import torch
from torch import Tensor

__all__ = ['mask_sums']

# Pixels of all masks that are worked on at a time: on a CPU as many as its
# cache holds, elsewhere as many as 256 MiB of float32.
_ELEMENTS_PER_BLOCK = 1 << 18
_ELEMENTS_PER_BLOCK_OF_DEVICE = 1 << 26


def _pixel_blocks(rows: Tensor) -> Iterator[slice]:
    """Cut the columns of (S, HW) into blocks that stay in the cache."""
    count, pixels = rows.shape
    on_cpu = rows.device.type == 'cpu'
    most = _ELEMENTS_PER_BLOCK if on_cpu else _ELEMENTS_PER_BLOCK_OF_DEVICE
    step = max(1, most // max(1, count))
    for start in range(0, pixels, step):
        yield slice(start, min(start + step, pixels))


def mask_sums(masks: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
    """Sum each map over each mask: the matrix product (S, HW) x (HW, C).

    Args:
        masks (Tensor): Bool, (S, H, W).
        maps (Tensor): Float, (C, H, W).

    Returns:
        tuple[Tensor, Tensor]: Sums, float32, (S, C), and the areas of the
        masks in pixels, float32, (S,).

    Raises:
        ValueError: If masks and maps differ in size or device.
    """
    if masks.shape[1:] != maps.shape[1:] or masks.device != maps.device:
        raise ValueError(
            'masks and maps must agree in size and device, got '
            f'{tuple(masks.shape)} on {masks.device} and '
            f'{tuple(maps.shape)} on {maps.device}'
        )
    # Lay masks and maps out as matrices, a map of ones for the areas
    count = masks.shape[0]
    # Bytes convert to float three times as fast as bools
    rows = masks.flatten(1).view(torch.uint8)  # (S, HW)
    ones = torch.ones((1, *maps.shape[1:]), device=maps.device)
    columns = torch.cat([maps.float(), ones])
    columns = columns.flatten(1)  # (C + 1, HW), the last one counts pixels
    # Widen some pixels of all masks to float, and add up their products: few
    # rows times many columns, the form that a matrix product is fast in
    sums = columns.new_zeros(len(columns), count)
    buffer = columns.new_empty(0)
    for block in _pixel_blocks(rows):
        some = rows[:, block]
        buffer = buffer.resize_(some.shape).copy_(some)
        sums.addmm_(columns[:, block], buffer.T)
    return sums[:-1].T, sums[-1]
