# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeding: sums of maps over masks."""

import torch
from torch import Tensor

__all__ = ['mask_sums']

# Masks are widened to float a few at a time, in one buffer: the product then
# reads them from the cache (5 times as fast as widening all), and memory stays
# small.
_ELEMENTS_PER_BLOCK = 1 << 20


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
    # Multiply a few masks at a time
    sums = columns.new_empty(count, len(columns))
    step = max(1, _ELEMENTS_PER_BLOCK // max(1, rows.shape[1]))
    buffer = columns.new_empty(step, rows.shape[1])
    for start in range(0, count, step):
        block = rows[start : start + step]
        widened = buffer[: len(block)].copy_(block)
        torch.mm(widened, columns.T, out=sums[start : start + step])
    return sums[:, :-1], sums[:, -1]
