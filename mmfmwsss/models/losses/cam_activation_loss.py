# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""CAM activation loss, L_CAL (Eq. 13 to 15)."""

import torch
from mmseg.registry import MODELS
from torch import Tensor

from ...utils.labels import IGNORE_LABEL
from .map_losses import MapAverage, MapLoss, maps_on_seeds

__all__ = ['CAMActivationLoss', 'cam_activation_loss']


def cam_activation_loss(
    cams: Tensor,
    pairs: Tensor,
    seeds: Tensor,
    ignore_index: int = IGNORE_LABEL,
) -> tuple[Tensor, Tensor]:
    """Raise a map to its peak inside its class's seed, push it to 0 outside.

    Implements the sums of Eq. 13 and 14 of `FMA-WSSS
    <https://arxiv.org/abs/2312.03585>`_ on signed maps: inside the seed a
    negative activation is pulled up too, outside it costs nothing.

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
    with torch.no_grad():  # detached, so that the maximum is not lowered
        peak = cams.masked_fill(~inside, 0).flatten(1).amax(dim=1)
    raise_inside = (peak[:, None, None] - cams).abs() * inside
    lower_outside = cams.clamp(min=0) * (counted & ~inside)
    total = (raise_inside + lower_outside).sum(dim=(1, 2))
    return total, counted.sum(dim=(1, 2))


@MODELS.register_module()
class CAMActivationLoss(MapLoss):
    """L_CAL of FMA-WSSS; see :func:`cam_activation_loss`.

    Args:
        average (str): ``'image'`` as in Eq. 15, ``'batch'`` as in the
            official code; see :func:`average_over_maps`.
        ignore_index (int): Seed value that counts for nothing.
        loss_weight (float): Factor of the loss.
        loss_name (str): Key of the loss in the log.
    """

    def __init__(
        self,
        average: MapAverage = 'image',
        ignore_index: int = IGNORE_LABEL,
        loss_weight: float = 1.0,
        loss_name: str = 'loss_cal',
    ) -> None:
        super().__init__(average, ignore_index, loss_weight, loss_name)

    def sum_over_pixels(
        self, cams: Tensor, pairs: Tensor, seeds: Tensor
    ) -> tuple[Tensor, Tensor]:
        """See :func:`cam_activation_loss`."""
        return cam_activation_loss(cams, pairs, seeds, self.ignore_index)
