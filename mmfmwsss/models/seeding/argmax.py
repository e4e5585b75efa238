# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeding from the scores of pixels, and the best class of each pixel."""

from abc import abstractmethod

import torch
from mmseg.registry import TASK_UTILS
from torch import Tensor

from ...structures import SAMMasks
from ..normalise import min_max_over_image
from .base import BaseSeeder
from .sams import background_score

__all__ = ['ArgmaxSeeder', 'PixelScoreSeeder', 'best_label', 'cam_scores']


def cam_scores(
    cams: Tensor,
    alpha: float = 1.0,
    normalise: bool = True,
    official: bool = False,
) -> Tensor:
    """Make score maps of the background (Eq. 9) and of the present classes.

    Args:
        cams (Tensor): Signed CAMs, (P, H, W).
        alpha (float): Power of the background's score (1 - max)^alpha.
        normalise (bool): Stretch each CAM over the image. False for CAMs
            that are in [0, 1] already and whose height counts.
        official (bool): See :func:`min_max_over_image`.

    Returns:
        Tensor: In [0, 1], background first, (1 + P, H, W).
    """
    # Stretch the CAMs, or take them as they are
    scores = (
        min_max_over_image(cams, official)
        if normalise
        else cams.float().clamp(0, 1)
    )
    # Put the background in front (Eq. 9)
    return torch.cat([background_score(scores, alpha)[None], scores])


def best_label(scores: Tensor, labels: Tensor) -> Tensor:
    """Take the label of the best channel; the first one wins ties.

    Args:
        scores (Tensor): Background first, (L, H, W).
        labels (Tensor): Of the channels, uint8, (L,).

    Returns:
        Tensor: uint8, (H, W).
    """
    return labels.take(scores.max(0).indices)


class PixelScoreSeeder(BaseSeeder):
    """Seed from the scores of background and classes at each pixel.

    A new seeder of this kind implements :meth:`_label`, which makes the seeds
    and refines predictions as well.

    Args:
        alpha (float): Power of the background's score.
        normalise (bool): See :func:`cam_scores`.
        official (bool): See :func:`~..normalise.min_max_over_image`.
    """

    def __init__(
        self,
        alpha: float = 1.0,
        normalise: bool = True,
        official: bool = False,
    ) -> None:
        self.alpha = alpha
        self.normalise = normalise
        self.official = official

    @abstractmethod
    def _label(
        self, scores: Tensor, labels: Tensor, masks: SAMMasks, image: Tensor
    ) -> Tensor:
        """Label each pixel.

        Args:
            scores (Tensor): In [0, 1], background first, (L, H, W).
            labels (Tensor): Label of each channel, uint8, (L,).
            masks (SAMMasks): Masks of the image, see :meth:`_seed`.
            image (Tensor): RGB, uint8, (H, W, 3), see :meth:`_seed`.

        Returns:
            Tensor: Labels, uint8, (H, W).
        """

    def _seed(
        self, cams: Tensor, labels: Tensor, masks: SAMMasks, image: Tensor
    ) -> Tensor:
        """Label the scores of the CAMs, see :meth:`BaseSeeder._seed`."""
        scores = cam_scores(cams, self.alpha, self.normalise, self.official)
        return self._label(scores, labels, masks, image)

    def _refine(
        self, scores: Tensor, labels: Tensor, masks: SAMMasks, image: Tensor
    ) -> Tensor:
        """Label the probabilities, see :meth:`BaseSeeder._refine`."""
        return self._label(scores, labels, masks, image)


@TASK_UTILS.register_module()
class ArgmaxSeeder(PixelScoreSeeder):
    """Give each pixel to its best class, the "Baseline" of Table 4.

    See :class:`PixelScoreSeeder` for the options.
    """

    def _label(
        self, scores: Tensor, labels: Tensor, masks: SAMMasks, image: Tensor
    ) -> Tensor:
        """Take the best label; masks and image are not used."""
        return best_label(scores, labels)
