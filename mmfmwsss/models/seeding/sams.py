# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeding: SAMS, quasi-superpixels classified and painted.

Section 4.2 of `FMA-WSSS <https://arxiv.org/abs/2312.03585>`_.
"""

from typing import Literal

import torch
from mmseg.registry import TASK_UTILS
from torch import Tensor

from ...structures import SAMMasks
from ...utils import UserInputError
from ...utils.labels import IGNORE_LABEL
from .base import BaseSeeder
from .mask_decisions import (
    MaskDecisions,
    classify_masks,
    classify_masks_by_probability,
)
from .pooling import top_rank

__all__ = ['SAMS', 'paint', 'paint_order']


def paint_order(levels: Tensor, confidence: Tensor) -> Tensor:
    """Order of painting: by level, then by confidence, both ascending.

    Args:
        levels (Tensor): 0 sub-part, 1 part, 2 whole, (S,).
        confidence (Tensor): Score of the winner, (S,).

    Returns:
        Tensor: Indices of the masks, int64, (S,). Masks equal in both keep
        their order, so that the later one is on top.
    """
    by_confidence = confidence.argsort(stable=True)
    return by_confidence[levels[by_confidence].argsort(stable=True)]


def paint(
    masks: SAMMasks, decisions: MaskDecisions, uncovered: Tensor | None = None
) -> Tensor:
    """Paint the winners of all masks in one pass.

    Masks that went to the background are painted too and can hide masks of
    a lower level.

    Args:
        masks (SAMMasks): S masks of (H, W).
        decisions (MaskDecisions): Their winners and confidences.
        uncovered (Tensor, optional): Labels where no mask is, (H, W).
            Background by default.

    Returns:
        Tensor: The winner on each pixel, of its type, (H, W).
    """
    order = paint_order(masks.levels, decisions.confidence)
    ranks = top_rank(masks.masks, order)
    bare = decisions.winner.new_zeros(1)
    labels = torch.cat([bare, decisions.winner[order]]).take(ranks)
    if uncovered is None:
        return labels
    return torch.where(ranks == 0, uncovered.to(labels), labels)


@TASK_UTILS.register_module()
class SAMS(BaseSeeder):
    """SAM-based seeding, Section 4.2 and 4.4 of the paper.

    Args:
        alpha (float): Power of the background's score, Eq. 9. The paper's
            0.6.
        refine_alpha (float): Power of the background's mean probability when
            a segmentor's prediction is refined.
        uncovered (str): Pixels that no mask covers become ``'background'``
            (the paper), or in :meth:`refine` keep the network's own
            ``'prediction'``.
        official (bool): Behave like FMA-WSSS's code where that is at fault:
            a single mask, or equal masks, become background, and an image
            without masks is an error.
        min_confidence (float): In a seed, masks whose best score is below
            this become 255, which no loss counts. Default: 0, off, as in the
            paper and in the official code. Scores are in [0, 1].

    Raises:
        ValueError: If ``uncovered`` is neither of the two, or
            ``min_confidence`` not in 0..1.
    """

    needs_masks = True

    def __init__(
        self,
        alpha: float = 0.6,
        refine_alpha: float = 1.0,
        uncovered: Literal['background', 'prediction'] = 'background',
        official: bool = False,
        min_confidence: float = 0.0,
    ) -> None:
        if uncovered not in ('background', 'prediction'):
            raise ValueError(
                "uncovered must be 'background' or 'prediction', got "
                f'{uncovered!r}'
            )
        if not 0 <= min_confidence <= 1:
            raise ValueError(
                f'Expected min_confidence in 0..1, but got {min_confidence}.'
            )
        self.alpha = alpha
        self.refine_alpha = refine_alpha
        self.uncovered = uncovered
        self.official = official
        self.min_confidence = min_confidence

    def _seed(
        self,
        cams: Tensor,
        classes: Tensor,
        masks: SAMMasks | None,
        image: Tensor | None,
    ) -> Tensor:
        """See :meth:`BaseSeeder.__call__`; the image is not used.

        Raises:
            UserInputError: If the masks are missing.
        """
        masks = self._checked(cams, masks)
        decisions = self.decide(cams, masks)
        doubtful = decisions.confidence < self.min_confidence
        winner = decisions.winner.masked_fill(doubtful, len(classes) + 1)
        zero = classes.new_zeros(1)
        labels = torch.cat([zero, classes + 1, zero + IGNORE_LABEL]).to(
            cams.device
        )
        winner = labels.to(torch.uint8)[winner]
        return paint(masks, decisions._replace(winner=winner))

    def decide(self, cams: Tensor, masks: SAMMasks) -> MaskDecisions:
        """Scores and winners of the masks (column p + 1 is class p)."""
        return classify_masks(masks.masks, cams, self.alpha, self.official)

    def _refine(
        self,
        probabilities: Tensor,
        masks: SAMMasks | None,
        image: Tensor | None,
    ) -> Tensor:
        """See :meth:`BaseSeeder.refine`; the image is not used.

        Raises:
            UserInputError: If the masks are missing.
        """
        masks = self._checked(probabilities, masks)
        decisions = classify_masks_by_probability(
            masks.masks, probabilities, self.refine_alpha
        )
        own = None
        if self.uncovered == 'prediction':
            own = probabilities.argmax(0)
        return paint(masks, decisions, own).to(torch.uint8)

    def _checked(self, maps: Tensor, masks: SAMMasks | None) -> SAMMasks:
        masks = self._masks_for(maps, masks)
        if self.official and len(masks) == 0:
            raise UserInputError(
                'SAMS(official=True) stops at an image without masks, as the '
                'official code does. Set official=False for a background seed.'
            )
        return masks
