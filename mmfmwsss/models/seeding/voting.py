# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeding: overlap voting of Chen et al., the "Voting" row of Table 4."""

import torch
from mmseg.registry import TASK_UTILS
from torch import Tensor

from ...structures import SAMMasks
from .argmax import PixelScoreSeeder, best_label
from .pooling import mask_sums

__all__ = ['MaskVoting', 'vote']


def vote(
    seed: Tensor, masks: Tensor, mask_share: float, region_share: float
) -> Tensor:
    """Replace the regions of a seed by the masks that agree with them.

    Classes are visited in ascending order. A mask that is still free goes to
    class k if the region of k in the seed fills ``mask_share`` of the mask, or
    if the mask holds ``region_share`` of that region. The new region of k is
    the union of its masks, and of the seed's pixels that no mask covers.
    Later classes are painted over earlier ones.

    Args:
        seed (Tensor): 0 background, class + 1 elsewhere, uint8, (H, W).
        masks (Tensor): Bool, (S, H, W).
        mask_share (float): Threshold of intersection / mask area.
        region_share (float): Threshold of intersection / region area.

    Returns:
        Tensor: uint8, (H, W).

    Example:
        >>> seed = torch.tensor([[1, 1, 0, 0]], dtype=torch.uint8)
        >>> masks = torch.tensor([[[True, True, True, False]]])
        >>> vote(seed, masks, mask_share=0.5, region_share=0.85)
        tensor([[1, 1, 1, 0]], dtype=torch.uint8)
    """
    # Cut the seed into the regions of its classes
    labels = seed.unique()
    labels = labels[labels > 0]  # (K,), ascending
    regions = seed == labels[:, None, None]  # (K, H, W)
    # Let a mask agree with a region by its share of either
    shared, areas = mask_sums(masks, regions)  # (S, K), (S,)
    region_areas = regions.flatten(1).sum(1)  # (K,), never 0
    agrees = shared / areas.clamp(min=1)[:, None] >= mask_share
    agrees |= shared / region_areas >= region_share
    agrees &= areas[:, None] > 0
    # The first class that agrees takes the mask
    agrees &= agrees.cumsum(1) == 1
    # Keep the seed where no mask is, and paint the masks elsewhere
    bare = ~masks.any(0)
    refined = torch.where(bare, seed, torch.zeros_like(seed))
    for index, label in enumerate(labels):
        refined[masks[agrees[:, index]].any(0)] = label
    return refined


@TASK_UTILS.register_module()
class MaskVoting(PixelScoreSeeder):
    """Let masks vote on a seed made by argmax.

    `Segment Anything Model (SAM) Enhanced Pseudo Labels for WSSS
    <https://arxiv.org/abs/2305.05803>`_, as the FMA-WSSS code states it.

    Args:
        mask_share (float): A mask joins a class that fills this share of it.
        region_share (float): A mask joins a class of whose region it holds
            this share.
        alpha (float): Power of the background's score in the seed.
        normalise (bool): See :func:`~.argmax.cam_scores`.
        official (bool): See :func:`~...normalise.min_max_over_image`.
    """

    needs_masks = True

    def __init__(
        self,
        mask_share: float = 0.5,
        region_share: float = 0.85,
        alpha: float = 1.0,
        normalise: bool = True,
        official: bool = False,
    ) -> None:
        super().__init__(alpha, normalise, official)
        self.mask_share = mask_share
        self.region_share = region_share

    def _label(
        self, scores: Tensor, labels: Tensor, masks: SAMMasks, image: Tensor
    ) -> Tensor:
        """Vote on the best labels; the image is not used."""
        seed = best_label(scores, labels)
        return vote(seed, masks.masks, self.mask_share, self.region_share)
