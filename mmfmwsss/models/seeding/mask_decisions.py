# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeding: the class of each mask, from CAMs or from probabilities.

"Quasi-superpixel classification" in Section 4.2 of `FMA-WSSS
<https://arxiv.org/abs/2312.03585>`_.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from .normalise import background_score, min_max
from .pooling import mask_sums

__all__ = [
    'MaskDecisions',
    'classify_masks',
    'classify_masks_by_probability',
    'mask_scores',
]

_OFFICIAL_EPSILON = 1e-7


class MaskDecisions(NamedTuple):
    """What was decided for each of the S masks of an image.

    Attributes:
        scores (Tensor): Background first, (S, 1 + P).
        winner (Tensor): Column of the best score, int64, (S,); 0 is the
            background, which also wins ties.
        confidence (Tensor): The best score, (S,).
    """

    scores: Tensor
    winner: Tensor
    confidence: Tensor


def mask_scores(masks: Tensor, cams: Tensor, parity: bool = False) -> Tensor:
    """Score of each mask for each class, Eq. 8.

    The CAMs are clamped at 0, averaged over each mask and stretched by the
    minimum and maximum over the masks of the image.

    Args:
        masks (Tensor): Bool, (S, H, W). Empty ones score 0.
        cams (Tensor): Signed CAMs of the present classes, (P, H, W).
        parity (bool): Add 1e-7 to the denominator like the official code,
            where one mask, or equal masks, score 0.

    Returns:
        Tensor: Scores in [0, 1], (S, P).
    """
    sums, areas = mask_sums(masks, cams.float().clamp(min=0))
    seen = areas > 0
    means = sums[seen] / areas[seen, None]
    epsilon = _OFFICIAL_EPSILON if parity else None
    scores = torch.zeros_like(sums)
    scores[seen] = min_max(means.T, epsilon).T
    return scores


def _decide(background: Tensor, foreground: Tensor) -> MaskDecisions:
    """Eq. 10; the first of equal scores wins, so the background does."""
    scores = torch.cat([background[:, None], foreground], dim=1)
    confidence, winner = scores.max(1)
    return MaskDecisions(scores, winner, confidence)


def classify_masks(
    masks: Tensor, cams: Tensor, alpha: float = 0.6, parity: bool = False
) -> MaskDecisions:
    """Classify quasi-superpixels by the CAMs of an image, Eq. 8 to 10.

    Args:
        masks (Tensor): Bool, (S, H, W).
        cams (Tensor): Signed CAMs of the present classes, (P, H, W).
        alpha (float): Power of the background's score. The paper's 0.6.
        parity (bool): See :func:`mask_scores`.

    Returns:
        MaskDecisions: Columns are the background and the P classes.
    """
    foreground = mask_scores(masks, cams, parity)
    return _decide(background_score(foreground.T, alpha), foreground)


def classify_masks_by_probability(
    masks: Tensor, probabilities: Tensor, alpha: float = 1.0
) -> MaskDecisions:
    """Classify quasi-superpixels by a network's probabilities, Section 4.4.

    As the official code does it: the mean probability, not stretched, with
    the background's own channel to the power alpha.

    Args:
        masks (Tensor): Bool, (S, H, W). Empty ones score 0.
        probabilities (Tensor): Background first, (1 + C, H, W).
        alpha (float): Power of the background's mean probability.

    Returns:
        MaskDecisions: Columns are the channels of ``probabilities``.
    """
    sums, areas = mask_sums(masks, probabilities)
    means = sums / areas.clamp(min=1)[:, None]  # (S, 1 + C)
    return _decide(means[:, 0] ** alpha, means[:, 1:])
