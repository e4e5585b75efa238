# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""SAMS: SAM-based seeding, Section 4.2 of the paper.

`FMA-WSSS <https://arxiv.org/abs/2312.03585>`_ makes a seed of the CAMs of an
image and of its masks, the quasi-superpixels, in these steps (letters of the
shapes: :class:`~.base.BaseSeeder`). The functions below are the first four;
the last two are in ``painting.py``.

1. Average the activation of each class over each mask.
2. Normalise the averages of each class over all masks, Eq. 8.
3. Score the background by what the best class leaves, Eq. 9.
4. Give each mask to its best class or to the background, Eq. 10.
5. Sort the masks by level, then by score.
6. Paint them in that order; the background stays where no mask is.

Section 4.4 refines the output of a network alike: its averaged probabilities
take the place of Eq. 8 and 9.
"""

from typing import Literal, NamedTuple

import torch
from mmseg.registry import TASK_UTILS
from torch import Tensor

from ...structures import SAMMasks
from ...structures.mask_records import MaskInput, as_sam_masks
from ...utils import UserInputError
from ...utils.arrays import ArrayLike, as_tensor
from ...utils.labels import IGNORE_LABEL
from ..normalise import OFFICIAL_EPSILON, min_max
from .base import BaseSeeder
from .painting import paint
from .pooling import mask_sums

__all__ = [
    'SAMS',
    'MaskDecisions',
    'background_score',
    'classify_masks',
    'classify_masks_by_probability',
    'mask_scores',
]


class MaskDecisions(NamedTuple):
    """Hold the scores and the winner of each of the S masks of an image.

    Attributes:
        scores (Tensor): Background first, (S, 1 + P).
        winner (Tensor): Column of the best score, int64, (S,).
        confidence (Tensor): The best score, (S,).
    """

    scores: Tensor
    winner: Tensor
    confidence: Tensor


def mask_means(masks: Tensor, cams: Tensor) -> tuple[Tensor, Tensor]:
    """Average each CAM, clamped at 0, over each mask (the inside of Eq. 8).

    Args:
        masks (Tensor): Bool, (S, H, W).
        cams (Tensor): Signed CAMs of the present classes, (P, H, W).

    Returns:
        tuple[Tensor, Tensor]: Means, (S, P); masks with a pixel, bool, (S,).
    """
    sums, areas = mask_sums(masks, cams.float().clamp(min=0))
    return sums / areas.clamp(min=1)[:, None], areas > 0


def mask_scores(means: Tensor, seen: Tensor, official: bool = False) -> Tensor:
    """Score each mask for each class: min-max over the masks, Eq. 8.

    Args:
        means (Tensor): Mean activations, (S, P).
        seen (Tensor): Masks with a pixel, bool, (S,). Others score 0.
        official (bool): Add 1e-7 to the denominator like FMA-WSSS's code,
            where one mask, or equal masks, score 0.

    Returns:
        Tensor: Scores in [0, 1], (S, P).
    """
    # Normalise over the masks that have a pixel
    scores = torch.zeros_like(means)
    epsilon = OFFICIAL_EPSILON if official else None
    scores[seen] = min_max(means[seen].T, epsilon).T
    return scores


def background_score(scores: Tensor, alpha: float) -> Tensor:
    """Score the background, Eq. 9: (1 - max_c score)^alpha.

    Args:
        scores (Tensor): Foreground scores in [0, 1], classes first,
            (P, ...). Without a class the background scores 1.
        alpha (float): Power; larger gives less background.

    Returns:
        Tensor: The class dimension removed, (...).

    Example:
        >>> cat, dog = [0.25, 1.0], [0.75, 0.5]  # scores of two masks
        >>> background_score(torch.tensor([cat, dog]), alpha=2)
        tensor([0.0625, 0.0000])
    """
    if scores.shape[0] == 0:
        return scores.new_ones(scores.shape[1:])
    return (1 - scores.amax(0)).clamp(min=0) ** alpha


def classify_masks(
    masks: Tensor, cams: Tensor, alpha: float = 0.6, official: bool = False
) -> MaskDecisions:
    """Classify quasi-superpixels by the CAMs of an image, Eq. 8 to 10.

    Args:
        masks (Tensor): Bool, (S, H, W).
        cams (Tensor): Signed CAMs of the present classes, (P, H, W).
        alpha (float): Power of the background's score. The paper's 0.6.
        official (bool): See :func:`mask_scores`; the first class wins ties.

    Returns:
        MaskDecisions: Columns are the background and the P classes.
    """
    # Average the activations, and normalise them over the masks
    means, seen = mask_means(masks, cams)
    foreground = mask_scores(means, seen, official)
    # Score the background
    background = background_score(foreground.T, alpha)
    # Take the best
    return _decide(background, foreground, None if official else means)


def _decide(
    background: Tensor, foreground: Tensor, means: Tensor | None = None
) -> MaskDecisions:
    """Take the best, Eq. 10; ties: background, highest mean, first class."""
    # Put the background first, so that it wins ties
    scores = torch.cat([background[:, None], foreground], dim=1)
    confidence, winner = scores.max(1)
    # Settle ties of classes by the mean activation
    if means is not None and means.shape[1]:
        tied = foreground == confidence[:, None]
        favourite = means.masked_fill(~tied, -1).max(1).indices + 1
        winner = torch.where(winner > 0, favourite, winner)
    return MaskDecisions(scores, winner, confidence)


def classify_masks_by_probability(
    masks: Tensor, probabilities: Tensor, alpha: float = 1.0
) -> MaskDecisions:
    """Classify quasi-superpixels by a network's probabilities, Section 4.4.

    The mean probability is not normalised, as in FMA-WSSS's code.

    Args:
        masks (Tensor): Bool, (S, H, W).
        probabilities (Tensor): Background first, (1 + C, H, W).
        alpha (float): Power of the background's mean probability.

    Returns:
        MaskDecisions: Columns are the channels of ``probabilities``.
    """
    means, _ = mask_means(masks, probabilities)  # (S, 1 + C)
    return _decide(means[:, 0] ** alpha, means[:, 1:])


@TASK_UTILS.register_module()
class SAMS(BaseSeeder):
    """Make seeds, or refine predictions, by SAM's masks (Section 4.2, 4.4).

    Args:
        alpha (float): Power of the background's score, Eq. 9.
        refine_alpha (float): Power of the background's mean probability when
            a segmentor's prediction is refined.
        uncovered (str): Pixels without a mask become ``'background'`` (the
            paper), or keep the network's ``'prediction'`` in :meth:`refine`.
        official (bool): Behave like FMA-WSSS's code where that is at fault:
            a single mask, or equal masks, become background, and an image
            without masks is an error.
        min_confidence (float): In a seed, masks whose best score, in [0, 1],
            is below this become 255, which no loss counts. The paper's 0.

    Raises:
        ValueError: If ``uncovered`` or ``min_confidence`` is none of these.
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

    def decide(self, cams: ArrayLike, masks: MaskInput) -> MaskDecisions:
        """Classify the masks by CAMs into tensors: :func:`classify_masks`."""
        maps = as_tensor(cams, 'cams')
        found = as_sam_masks(masks, (maps.shape[-2], maps.shape[-1]))
        stack = found.masks.to(maps.device)
        return classify_masks(stack, maps, self.alpha, self.official)

    def _checked(
        self,
        maps: Tensor,
        masks: MaskInput | None,
        image: ArrayLike | None,
    ) -> tuple[SAMMasks, Tensor]:
        """Refuse an image without masks like the official code."""
        found, pixels = super()._checked(maps, masks, image)
        if self.official and not len(found):
            raise UserInputError(
                'SAMS(official=True) stops at an image without masks, as the '
                'official code does. Set official=False for a background seed.'
            )
        return found, pixels

    def _seed(
        self, cams: Tensor, labels: Tensor, masks: SAMMasks, image: Tensor
    ) -> Tensor:
        """Classify the masks by the CAMs and paint the sure ones."""
        # Ignore masks that are not sure enough
        _, winner, confidence = self.decide(cams, masks)
        unsure = confidence < self.min_confidence
        mask_labels = labels[winner].masked_fill(unsure, IGNORE_LABEL)
        return paint(masks, mask_labels, confidence)

    def _refine(
        self, scores: Tensor, labels: Tensor, masks: SAMMasks, image: Tensor
    ) -> Tensor:
        """Classify the masks by a network's probabilities and paint them."""
        _, winner, confidence = classify_masks_by_probability(
            masks.masks, scores, self.refine_alpha
        )
        # Keep the network's own labels where no mask is
        own = scores.argmax(0) if self.uncovered == 'prediction' else None
        return paint(masks, labels[winner], confidence, own)
