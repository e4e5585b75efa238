# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Filter overlapping masks: whole, then part, then sub-part."""

import torch

from ...structures import PART, SUBPART, WHOLE, SAMMasks
from .overlaps import shared_pixels

__all__ = ['filter_by_occupation']


def filter_by_occupation(masks: SAMMasks, threshold: float = 0.3) -> SAMMasks:
    """Drop parts and sub-parts whose place is already taken.

    Section 4.2 of `FMA-WSSS <https://arxiv.org/abs/2312.03585>`_: all whole
    masks are selected; then the part masks of which every selected mask
    covers less than a share t_r; then the sub-parts likewise. Masks of one
    level do not compete.

    Args:
        masks (SAMMasks): Masks of one image, (S, H, W).
        threshold (float): t_r in [0, 1], largest share of a mask that one
            selected mask may cover, exclusive. Default: 0.3, as in the paper.

    Returns:
        SAMMasks: The selected masks in the order they had.

    Example:
        >>> rows = [[[1, 1, 0, 0]], [[0, 0, 1, 1]], [[1, 0, 0, 0]]]
        >>> masks = SAMMasks(
        ...     torch.tensor(rows) > 0,
        ...     levels=torch.tensor([WHOLE, PART, SUBPART]),
        ...     predicted_iou=torch.ones(3),
        ...     stability_score=torch.ones(3),
        ... )
        >>> filter_by_occupation(masks).levels  # whole, part
        tensor([2, 1])
    """
    if not len(masks):
        return masks
    # Compute the share of each mask (row) that each other one covers.
    shared = shared_pixels(masks.masks)
    covered = shared / shared.diagonal()[:, None].clamp(min=1)
    # Select all whole masks, then parts and sub-parts with room left.
    selected = masks.levels == WHOLE
    for level in (PART, SUBPART):
        most = covered.masked_fill(~selected, 0).amax(dim=1)
        selected = selected | ((masks.levels == level) & (most < threshold))
    return masks.filter(torch.nonzero(selected)[:, 0])
