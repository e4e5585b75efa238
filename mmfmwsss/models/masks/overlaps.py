# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Count the pixels that masks share, some pixels of all masks at a time."""

import torch
from torch import Tensor

__all__ = ['shared_pixels']

# Numbers that are widened to float at a time: 16 MiB, and fewer than the 2^24
# up to which float32 counts exactly.
_ELEMENTS_PER_BLOCK = 1 << 22


def shared_pixels(masks: Tensor) -> Tensor:
    """Count the pixels that each two masks share, the matrix product M M^T.

    Args:
        masks (Tensor): Bool, (S, H, W).

    Returns:
        Tensor: Whole numbers, float64, (S, S). The diagonal has the areas.

    Example:
        >>> rows = torch.tensor([[[True, True, False]], [[False, True, True]]])
        >>> shared_pixels(rows).tolist()
        [[2.0, 1.0], [1.0, 2.0]]
    """
    # Bytes convert to float three times as fast as bools
    rows = masks.flatten(1).view(torch.uint8)  # (S, HW)
    count, pixels = rows.shape
    shared = torch.zeros(
        count, count, dtype=torch.float64, device=masks.device
    )
    # Widen some pixels of all masks to float, and add up their products
    step = max(1, _ELEMENTS_PER_BLOCK // max(1, count))
    for start in range(0, pixels, step):
        some = rows[:, start : start + step].float()
        shared += some @ some.T
    return shared
