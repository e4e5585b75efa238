# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Class-aware attention affinity, CAA (Eq. 4, from CLIP-ES)."""

from typing import Literal

import cv2
import numpy as np
import torch
from mmseg.registry import TASK_UTILS
from torch import Tensor

from ...utils.arrays import Array, ArrayLike, as_tensor, give_back
from ..normalise import min_max_over_image

__all__ = ['CAA', 'box_mask', 'sinkhorn_affinity']


def sinkhorn_affinity(attention: Tensor, rounds: int) -> Tensor:
    """Turn attention into a symmetric, nearly doubly stochastic affinity.

    A round divides by the column sums, then by the row sums.

    Args:
        attention (Tensor): Attention between patches, (N, hw, hw).
        rounds (int): Number of rounds.

    Returns:
        Tensor: (N, hw, hw).

    Example:
        >>> attention = torch.tensor([[[1.0, 1.0], [0.0, 1.0]]])
        >>> sinkhorn_affinity(attention, rounds=1)
        tensor([[[0.6667, 0.1667],
                 [0.1667, 1.0000]]])
    """
    affinity = attention
    for _ in range(rounds):
        affinity = affinity / affinity.sum(dim=1, keepdim=True)
        affinity = affinity / affinity.sum(dim=2, keepdim=True)
    # Average with the transpose, so that it is symmetric
    return (affinity + affinity.transpose(1, 2)) / 2


def box_mask(
    score: Tensor, threshold: float, official: bool = False
) -> Tensor:
    """Unite the boxes around the connected regions of high score.

    Args:
        score (Tensor): Map of one class in 0..1, (h, w).
        threshold (float): Share of the maximum above which a patch is high.
        official (bool): Leave the last row and column out of every box, like
            the code of CLIP-ES and of FMA-WSSS.

    Returns:
        Tensor: bool, (h, w).

    Example:
        >>> score = torch.tensor([[0.9, 0.1, 0.0], [0.1, 1.0, 0.0]])
        >>> box_mask(score, threshold=0.4).tolist()
        [[True, True, False], [True, True, False]]
    """
    # Mark the patches above the share of the maximum, in 8 bits
    levels = (255 * score.clamp(0, 1)).to(torch.uint8).cpu().numpy()
    high = (levels > int(threshold * int(levels.max()))).astype(np.uint8)
    # Boxes of outer contours are the boxes of 8-connected regions, and boxes
    # of inner contours lie within them: the union is the same.
    _, _, stats, _ = cv2.connectedComponentsWithStats(high, connectivity=8)
    # Fill the box of every region but the first, the background
    mask = torch.zeros(score.shape, dtype=torch.bool)
    height, width = score.shape
    for x, y, box_width, box_height, _ in stats[1:]:
        right, bottom = x + box_width, y + box_height
        if official:
            right, bottom = min(right, width - 1), min(bottom, height - 1)
        mask[y:bottom, x:right] = True
    return mask.to(score.device)


# The second name is that of configs written for version 0.1
@TASK_UTILS.register_module(name=['CAA', 'AttentionAffinity'])
class CAA:
    """Refine class activation maps by the attention of CLIP.

    ``refined = A^t (B * M)`` for the map M of a class, the affinity A of its
    image and the box mask B of the class, which acts on the sources. A^t is
    applied as t matrix-vector products.

    Args:
        sinkhorn_rounds (int): Default: 3, as CLIP-ES; FMA-WSSS's code has 1.
        power (int): t of Eq. 4. Default: 2.
        box_threshold (float): Share of a map's maximum. Default: 0.4.
        refine (str): ``'score'`` refines the map clamped at 0 and scaled to
            0..1 (CLIP-ES), ``'cam'`` the signed map itself.
        use_boxes (bool): False leaves the box mask out.
        normalise (bool): Stretch each refined map over the patches
            to 0..1, before anything enlarges it (CLIP-ES).
        official (bool): Behave like the code of CLIP-ES and of FMA-WSSS, see
            :func:`box_mask` and :func:`~..normalise.min_max_over_image`.
        score_rounds (int): How often a map is stretched to 0..1. CLIP-ES: 2,
            which only matters with ``official``. Default: 1.
    """

    def __init__(
        self,
        *,
        sinkhorn_rounds: int = 3,
        power: int = 2,
        box_threshold: float = 0.4,
        refine: Literal['score', 'cam'] = 'score',
        use_boxes: bool = True,
        normalise: bool = False,
        official: bool = False,
        score_rounds: int = 1,
    ) -> None:
        if refine not in ('score', 'cam'):
            raise ValueError(
                f"Expected `refine` to be 'score' or 'cam', but got "
                f'{refine!r}.'
            )
        self.sinkhorn_rounds = sinkhorn_rounds
        self.power = power
        self.box_threshold = box_threshold
        self.refine = refine
        self.use_boxes = use_boxes
        self.normalise = normalise
        self.official = official
        self.score_rounds = score_rounds

    def __call__(
        self, cams: Array, attention: ArrayLike, images: ArrayLike
    ) -> Array:
        """Refine the maps of several images.

        Args:
            cams (Tensor | ndarray): Signed maps, (P, h, w).
            attention (ArrayLike): Attention between patches, (N, hw, hw).
            images (ArrayLike): Index of the image of each map, (P,).

        Returns:
            Tensor | ndarray: Refined maps, float32, (P, h, w), of the kind
            of the maps.
        """
        maps = as_tensor(cams, 'cams')
        # Stay in float32 in mixed precision: small maps would become 0
        with torch.autocast(maps.device.type, enabled=False):
            refined = self._refine(
                maps.float(),
                as_tensor(attention, 'attention').float(),
                as_tensor(images, 'images').long(),
            )
        return give_back(refined, cams)

    def _refine(
        self, cams: Tensor, attention: Tensor, images: Tensor
    ) -> Tensor:
        """Refine maps that are tensors, (P, h, w)."""
        # Take the stretched maps or the signed ones as sources
        scores = min_max_over_image(cams, self.official, self.score_rounds)
        sources = scores if self.refine == 'score' else cams
        # Keep what lies in the boxes of the class, B * M
        if self.use_boxes and len(cams):
            # Look for the boxes on the host: one copy there, and one back
            boxes = [
                box_mask(score, self.box_threshold, self.official)
                for score in scores.cpu()
            ]
            sources = sources * torch.stack(boxes).to(sources.device)
        # Apply the affinity t times (Eq. 4, with B on the sources)
        affinity = sinkhorn_affinity(attention, self.sinkhorn_rounds)
        refined = sources.flatten(1)[..., None]  # (P, hw, 1)
        for _ in range(self.power):
            refined = affinity[images] @ refined
        # Lay the patches out again, stretched if asked for
        maps = refined[..., 0].unflatten(1, cams.shape[1:])
        if not self.normalise:
            return maps
        return min_max_over_image(maps, self.official, self.score_rounds)
