# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeding: the best class of each pixel, without masks (the baseline)."""

import torch
from mmseg.registry import TASK_UTILS
from torch import Tensor

from ...structures import SAMMasks
from ..normalise import background_score, min_max_over_image
from .base import BaseSeeder

__all__ = ['ArgmaxSeeder', 'argmax_seed', 'cam_scores']


def cam_scores(
    cams: Tensor,
    alpha: float = 1.0,
    normalise: bool = True,
    official: bool = False,
) -> Tensor:
    """Score maps of background and present classes.

    Args:
        cams (Tensor): Signed CAMs, (P, H, W).
        alpha (float): Power of the background's score (1 - max)^alpha.
        normalise (bool): Stretch each CAM over the image. False for CAMs
            that are in [0, 1] already and whose height counts.
        official (bool): See :func:`min_max_over_image`.

    Returns:
        Tensor: In [0, 1], background first, (1 + P, H, W).
    """
    scores = (
        min_max_over_image(cams, official)
        if normalise
        else cams.float().clamp(0, 1)
    )
    return torch.cat([background_score(scores, alpha)[None], scores])


def argmax_seed(scores: Tensor, classes: Tensor) -> Tensor:
    """Label of the best channel; the background wins ties.

    Args:
        scores (Tensor): Background first, (1 + P, H, W).
        classes (Tensor): 0-based foreground indices, int64, (P,).

    Returns:
        Tensor: 0 background, class + 1 elsewhere, uint8, (H, W).
    """
    labels = torch.cat([classes.new_zeros(1), classes + 1]).to(scores.device)
    return labels.to(torch.uint8).take(scores.max(0).indices)


@TASK_UTILS.register_module()
class ArgmaxSeeder(BaseSeeder):
    """Each pixel goes to its best class, the "Baseline" of Table 4.

    Args:
        alpha (float): Power of the background's score.
        normalise (bool): See :func:`cam_scores`.
        official (bool): See :func:`min_max_over_image`.
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

    def _seed(
        self,
        cams: Tensor,
        classes: Tensor,
        masks: SAMMasks | None,
        image: Tensor | None,
    ) -> Tensor:
        """See :meth:`BaseSeeder.__call__`; masks and image are not used."""
        return argmax_seed(
            cam_scores(cams, self.alpha, self.normalise, self.official),
            classes,
        )

    def _refine(
        self,
        probabilities: Tensor,
        masks: SAMMasks | None,
        image: Tensor | None,
    ) -> Tensor:
        """The network's own prediction, see :meth:`BaseSeeder.refine`."""
        return probabilities.max(0).indices.to(torch.uint8)
