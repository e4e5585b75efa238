# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeding: the class of each mask, from CAMs or from probabilities.

"Quasi-superpixel classification" in Section 4.2 of `FMA-WSSS
<https://arxiv.org/abs/2312.03585>`_.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from ..normalise import OFFICIAL_EPSILON, background_score, min_max
from .pooling import mask_sums

__all__ = [
    'MaskDecisions',
    'classify_masks',
    'classify_masks_by_probability',
    'mask_means',
    'mask_scores',
]


class MaskDecisions(NamedTuple):
    """What was decided for each of the S masks of an image.

    Attributes:
        scores (Tensor): Background first, (S, 1 + P).
        winner (Tensor): Column of the best score, int64, (S,); 0 is the
            background, which also wins ties. Classes that tie are told
            apart by their mean activation.
        confidence (Tensor): The best score, (S,).
    """

    scores: Tensor
    winner: Tensor
    confidence: Tensor


def mask_means(masks: Tensor, cams: Tensor) -> tuple[Tensor, Tensor]:
    """Average each CAM, clamped at 0, over each mask.

    Args:
        masks (Tensor): Bool, (S, H, W).
        cams (Tensor): Signed CAMs of the present classes, (P, H, W).

    Returns:
        tuple[Tensor, Tensor]: Means, (S, P), 0 of a mask without a pixel;
        which masks have one, bool, (S,).
    """
    sums, areas = mask_sums(masks, cams.float().clamp(min=0))
    return sums / areas.clamp(min=1)[:, None], areas > 0


def mask_scores(masks: Tensor, cams: Tensor, official: bool = False) -> Tensor:
    """Score of each mask for each class, Eq. 8.

    The CAMs are clamped at 0, averaged over each mask and stretched by the
    minimum and maximum over the masks of the image.

    Args:
        masks (Tensor): Bool, (S, H, W). Empty ones score 0.
        cams (Tensor): Signed CAMs of the present classes, (P, H, W).
        official (bool): Add 1e-7 to the denominator like FMA-WSSS's code,
            where one mask, or equal masks, score 0.

    Returns:
        Tensor: Scores in [0, 1], (S, P).
    """
    return _stretch(*mask_means(masks, cams), official)


def _stretch(means: Tensor, seen: Tensor, official: bool) -> Tensor:
    """Min-max of each class over the masks that have a pixel, (S, P)."""
    scores = torch.zeros_like(means)
    epsilon = OFFICIAL_EPSILON if official else None
    scores[seen] = min_max(means[seen].T, epsilon).T
    return scores


def _decide(background: Tensor, foreground: Tensor) -> MaskDecisions:
    """Eq. 10; the first of equal scores wins, so the background does."""
    scores = torch.cat([background[:, None], foreground], dim=1)
    confidence, winner = scores.max(1)
    return MaskDecisions(scores, winner, confidence)


def _break_ties(decisions: MaskDecisions, means: Tensor) -> MaskDecisions:
    """Let the class of the highest mean win where classes tie.

    A mask that is the strongest of two classes scores 1 for both. The
    official 1e-7 in the denominator then favours the higher activation.
    """
    tied = decisions.scores[:, 1:] == decisions.confidence[:, None]  # (S, P)
    favourite = means.masked_fill(~tied, -1).max(1).indices + 1
    winner = torch.where(decisions.winner > 0, favourite, decisions.winner)
    return decisions._replace(winner=winner)


def classify_masks(
    masks: Tensor, cams: Tensor, alpha: float = 0.6, official: bool = False
) -> MaskDecisions:
    """Classify quasi-superpixels by the CAMs of an image, Eq. 8 to 10.

    Args:
        masks (Tensor): Bool, (S, H, W).
        cams (Tensor): Signed CAMs of the present classes, (P, H, W).
        alpha (float): Power of the background's score. The paper's 0.6.
        official (bool): See :func:`mask_scores`.

    Returns:
        MaskDecisions: Columns are the background and the P classes.
    """
    means, seen = mask_means(masks, cams)
    foreground = _stretch(means, seen, official)
    decisions = _decide(background_score(foreground.T, alpha), foreground)
    if official or not len(cams):
        return decisions
    return _break_ties(decisions, means)


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
