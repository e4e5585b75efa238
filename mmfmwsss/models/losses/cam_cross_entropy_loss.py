# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pixel-wise cross-entropy of class activation maps, L_CE of Table 5."""

import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor

from .map_losses import (
    MapAverage,
    MapLoss,
    average_over_maps,
    maps_and_seeds,
    maps_on_seeds,
)

__all__ = ['CAMCrossEntropyLoss', 'cam_cross_entropy_loss']


def cam_cross_entropy_loss(
    cams: Tensor,
    pairs: Tensor,
    seeds: Tensor,
    average: MapAverage = 'image',
) -> Tensor:
    """Compare sigmoid(CAM) with the seed of the map's class by cross-entropy.

    Args:
        cams (Tensor): Signed class activation maps, (P, h, w).
        pairs (Tensor): (image, class) of each map, int64, (P, 2).
        seeds (Tensor): Seed maps, 0 background, class + 1, 255 counts for
            nothing, (N, H, W). All three may be arrays of numpy.
        average (str): See :func:`average_over_maps`.

    Returns:
        Tensor: A scalar; 0 if nothing counts.

    Raises:
        UserInputError: If the shapes do not fit together.

    Example:
        >>> import torch
        >>> cams = torch.zeros(1, 1, 2)  # a probability of 1 / 2 each
        >>> seeds = torch.tensor([[[1, 255]]])
        >>> cam_cross_entropy_loss(cams, torch.tensor([[0, 0]]), seeds)
        tensor(0.6931)
    """
    cams, pairs, seeds = maps_and_seeds(cams, pairs, seeds)
    # Ask of each pixel that counts if it is of the map's class
    cams, inside, counted = maps_on_seeds(cams, pairs, seeds)
    losses = F.binary_cross_entropy_with_logits(
        cams, inside.to(cams.dtype), reduction='none'
    )
    return average_over_maps(
        losses * counted, counted, pairs[:, 0], len(seeds), average
    )


@MODELS.register_module()
class CAMCrossEntropyLoss(MapLoss):
    """Apply the loss that Table 5 compares L_CAL with.

    The paper says of it that the probabilities are "obtained by inputting CAM
    activation values into a sigmoid function". So each pixel of the map of a
    present class is a binary question, answered by the coarse seed: of the
    map's class, or not. The official code has no such loss. Maps, ignored
    pixels and averages are those of :class:`CAMActivationLoss`, which it
    replaces in a config.

    Args:
        average (str): See :func:`average_over_maps`.
        loss_weight (float): Factor of the loss.
        loss_name (str): Key of the loss in the log.
    """

    def __init__(
        self,
        average: MapAverage = 'image',
        loss_weight: float = 1.0,
        loss_name: str = 'loss_ce',
    ) -> None:
        super().__init__(average, loss_weight, loss_name)

    def forward(self, cams: Tensor, pairs: Tensor, seeds: Tensor) -> Tensor:
        """Weigh the loss of a batch; see :func:`cam_cross_entropy_loss`."""
        return self.loss_weight * cam_cross_entropy_loss(
            cams, pairs, seeds, self.average
        )
