# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pixel-wise cross-entropy of class activation maps, L_CE of Table 5."""

import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor

from ...utils.labels import IGNORE_LABEL
from .map_losses import MapAverage, MapLoss, maps_on_seeds

__all__ = ['CAMCrossEntropyLoss', 'cam_cross_entropy_loss']


def cam_cross_entropy_loss(
    cams: Tensor,
    pairs: Tensor,
    seeds: Tensor,
    ignore_index: int = IGNORE_LABEL,
) -> tuple[Tensor, Tensor]:
    """Cross-entropy of sigmoid(CAM) with the seed of the map's class.

    Args:
        cams (Tensor): Signed class activation maps, (P, h, w).
        pairs (Tensor): (image, class) of each map, int64, (P, 2).
        seeds (Tensor): Seed maps, 0 background, class + 1, (N, H, W).
        ignore_index (int): Seed value that counts for nothing.

    Returns:
        tuple[Tensor, Tensor]: Summed loss of each map, (P,), and its number
        of pixels that count, (P,).
    """
    cams, inside, counted = maps_on_seeds(cams, pairs, seeds, ignore_index)
    loss = F.binary_cross_entropy_with_logits(
        cams, inside.to(cams.dtype), reduction='none'
    )
    return (loss * counted).sum(dim=(1, 2)), counted.sum(dim=(1, 2))


@MODELS.register_module()
class CAMCrossEntropyLoss(MapLoss):
    """The loss that Table 5 compares L_CAL with.

    The paper says of it that the probabilities are "obtained by inputting CAM
    activation values into a sigmoid function". So each pixel of the map of a
    present class is a binary question, answered by the coarse seed: of the
    map's class, or not. The official code has no such loss. Maps, ignored
    pixels and averages are those of :class:`CAMActivationLoss`, which it
    replaces in a config.

    Args:
        average (str): See :func:`average_over_maps`.
        ignore_index (int): Seed value that counts for nothing.
        loss_weight (float): Factor of the loss.
        loss_name (str): Key of the loss in the log.
    """

    def __init__(
        self,
        average: MapAverage = 'image',
        ignore_index: int = IGNORE_LABEL,
        loss_weight: float = 1.0,
        loss_name: str = 'loss_ce',
    ) -> None:
        super().__init__(average, ignore_index, loss_weight, loss_name)

    def sum_over_pixels(
        self, cams: Tensor, pairs: Tensor, seeds: Tensor
    ) -> tuple[Tensor, Tensor]:
        """See :func:`cam_cross_entropy_loss`."""
        return cam_cross_entropy_loss(cams, pairs, seeds, self.ignore_index)
