# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Ask SAM at fewer points: coarse grids first, then what is not covered.

A photo of one animal on a meadow has most of its grid on two masks, which SAM
finds again at each point. After a round of sparse points, those of the finer
rounds that lie on a part or a whole that was found are left out. The masks of
a round depend on nothing but the rounds before, so that the result is the same
however many points are decoded at once.
"""

import torch
from torch import Tensor

__all__ = ['covered_points', 'point_rounds']


def point_rounds(points_per_side: int) -> list[Tensor]:
    """Split a grid of points into rounds, from coarse to fine.

    Args:
        points_per_side (int): Points along each side of the grid, at least 1.

    Returns:
        list[Tensor]: Numbers of the points, row by row of the grid, of each
        round, int64, (n,). Each point is in one round.

    Example:
        >>> [len(numbers) for numbers in point_rounds(16)]
        [4, 16, 64, 172]
    """
    side = torch.arange(points_per_side)
    left = torch.ones(points_per_side, points_per_side, dtype=torch.bool)
    rounds = []
    # Begin with a step that gives two points a side, or three.
    step = 1 << max(0, points_per_side.bit_length() - 2)
    while step:
        # Take the middle of each block of step x step points.
        line = side % step == step // 2 if step > 1 else side >= 0
        chosen = line[:, None] & line & left
        left &= ~chosen
        rounds.append(torch.nonzero(chosen.flatten())[:, 0])
        step //= 2
    return rounds


def covered_points(masks: Tensor, places: Tensor) -> Tensor:
    """Find the points that lie on a mask.

    Args:
        masks (Tensor): Bool, (S, H, W); without a mask no point is covered.
        places (Tensor): x and y of n points in pixels, int64, (n, 2).

    Returns:
        Tensor: Bool, (n,).
    """
    x, y = places.unbind(1)
    return masks[:, y, x].any(dim=0)
