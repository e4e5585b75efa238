# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeding: paint labelled masks over each other, the best on top.

The last two steps of SAMS, Section 4.2; letters of the shapes:
:class:`~.base.BaseSeeder`.
"""

import torch
from torch import Tensor

from ...structures import SAMMasks

__all__ = ['paint', 'paint_order', 'top_rank']


def paint_order(levels: Tensor, confidence: Tensor) -> Tensor:
    """Sort the masks by level, then by confidence, both ascending.

    Args:
        levels (Tensor): 0 sub-part, 1 part, 2 whole, (S,).
        confidence (Tensor): Score of the winner, (S,).

    Returns:
        Tensor: Indices of the masks, int64, (S,). Masks equal in both keep
        their order, so that the later one is on top.
    """
    by_confidence = confidence.argsort(stable=True)
    return by_confidence[levels[by_confidence].argsort(stable=True)]


def top_rank(masks: Tensor, order: Tensor) -> Tensor:
    """Find the place in the order of the mask on top of each pixel.

    Args:
        masks (Tensor): Bool, (S, H, W).
        order (Tensor): Indices of the masks, bottom first, int64, (S,).

    Returns:
        Tensor: 1 is the bottom mask, 0 no mask, int64, (H, W).
    """
    dtype = torch.uint8 if len(order) <= 255 else torch.int32  # narrow: fast
    # Keep the highest rank of each pixel
    top = torch.zeros(masks.shape[1:], dtype=dtype, device=masks.device)
    for rank, index in enumerate(order.tolist(), start=1):
        painted = masks[index].view(torch.uint8).to(dtype) * rank
        torch.maximum(top, painted, out=top)
    return top.long()


def paint(
    masks: SAMMasks,
    labels: Tensor,
    confidence: Tensor,
    uncovered: Tensor | None = None,
) -> Tensor:
    """Paint the labels of all masks, background included, the best on top.

    Args:
        masks (SAMMasks): S masks of (H, W).
        labels (Tensor): Label of each mask, uint8, (S,).
        confidence (Tensor): Score of each mask, (S,).
        uncovered (Tensor, optional): Labels where no mask is, (H, W).

    Returns:
        Tensor: The label of each pixel, uint8, (H, W).
    """
    # Find the mask on top of each pixel
    order = paint_order(masks.levels, confidence)
    ranks = top_rank(masks.masks, order)
    # Look its label up; rank 0 is no mask
    painted = torch.cat([labels.new_zeros(1), labels[order]]).take(ranks)
    if uncovered is None:
        return painted
    return torch.where(ranks == 0, uncovered.to(painted), painted)
