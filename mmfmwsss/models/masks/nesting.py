# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Guess levels of masks that have none, by which lies in which."""

import torch
from torch import Tensor

from ...structures import SUBPART, WHOLE, SAMMasks
from .overlaps import shared_pixels

__all__ = ['levels_by_nesting']


def levels_by_nesting(masks: SAMMasks, share: float = 0.9) -> Tensor:
    """Guess levels for masks of tools that do not record them.

    A mask in no other is whole, one in a whole mask a part, one in a part a
    sub-part, and so is all that lies deeper. SAM's own levels are the places
    of a mask among the three of its point; these are ours and only resemble
    them.

    Args:
        masks (SAMMasks): S masks of one image; their levels are not read.
        share (float): A mask lies in a larger one that covers this share of
            it, inclusive. Of two masks of one area the later lies in the
            earlier. Default: 0.9.

    Returns:
        Tensor: 0 sub-part, 1 part, 2 whole, int64, (S,).

    Example:
        >>> rows = [[[1, 1, 1, 1]], [[1, 1, 0, 0]], [[1, 0, 0, 0]]]
        >>> masks = SAMMasks(
        ...     torch.tensor(rows) > 0,
        ...     levels=torch.zeros(3, dtype=torch.int64),
        ...     predicted_iou=torch.ones(3),
        ...     stability_score=torch.ones(3),
        ... )
        >>> levels_by_nesting(masks)
        tensor([2, 1, 0])
    """
    shared = shared_pixels(masks.masks)
    areas = shared.diagonal()
    inside = shared >= share * areas[:, None]  # row lies in column
    # Find how deep each mask lies in others, from the largest down.
    depth = torch.zeros(len(masks), dtype=torch.int64, device=shared.device)
    order = areas.argsort(descending=True, stable=True)
    for place, index in enumerate(order.tolist()):
        larger = order[:place]
        around = larger[inside[index, larger]]
        if len(around) and areas[index] > 0:
            depth[index] = depth[around].max() + 1
    # Name the depths: whole, part, then sub-part for all deeper ones.
    return (WHOLE - depth).clamp(min=SUBPART)
