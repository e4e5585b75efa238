# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""CAM activation loss, L_CAL (Eq. 13 to 15)."""

import torch
from mmseg.registry import MODELS
from torch import Tensor

from .map_losses import (
    MapAverage,
    MapLoss,
    average_over_maps,
    maps_and_seeds,
    maps_on_seeds,
)

__all__ = ['CAMActivationLoss', 'cam_activation_loss']


def cam_activation_loss(
    cams: Tensor,
    pairs: Tensor,
    seeds: Tensor,
    average: MapAverage = 'image',
) -> Tensor:
    """Raise a map to its peak inside its class's seed, push it to 0 outside.

    Implements Eq. 13 to 15 of `FMA-WSSS <https://arxiv.org/abs/2312.03585>`_
    on signed maps: inside the seed a negative activation is pulled up too,
    outside it costs nothing.

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
        >>> cams = torch.tensor([[[3.0, 1.0], [2.0, -4.0]]])
        >>> seeds = torch.tensor([[[1, 1], [0, 0]]])
        >>> # Inside |3 - 3| + |3 - 1|, outside 2 + 0, over 4 pixels.
        >>> cam_activation_loss(cams, torch.tensor([[0, 0]]), seeds)
        tensor(1.)
    """
    cams, pairs, seeds = maps_and_seeds(cams, pairs, seeds)
    cams, inside, counted = maps_on_seeds(cams, pairs, seeds)
    with torch.no_grad():  # detached, so that the maximum is not lowered
        peak = cams.masked_fill(~inside, 0).flatten(1).amax(dim=1)
    # Raise to the peak inside (Eq. 13), lower to 0 outside (Eq. 14)
    raise_inside = (peak[:, None, None] - cams).abs() * inside
    lower_outside = cams.clamp(min=0) * (counted & ~inside)
    return average_over_maps(
        raise_inside + lower_outside,
        counted,
        pairs[:, 0],
        len(seeds),
        average,
    )


@MODELS.register_module()
class CAMActivationLoss(MapLoss):
    """Apply L_CAL of FMA-WSSS; see :func:`cam_activation_loss`.

    Args:
        average (str): ``'image'`` as in Eq. 15, ``'batch'`` as in the
            official code; see :func:`average_over_maps`.
        loss_weight (float): Factor of the loss.
        loss_name (str): Key of the loss in the log.
    """

    def __init__(
        self,
        average: MapAverage = 'image',
        loss_weight: float = 1.0,
        loss_name: str = 'loss_cal',
    ) -> None:
        super().__init__(average, loss_weight, loss_name)

    def forward(self, cams: Tensor, pairs: Tensor, seeds: Tensor) -> Tensor:
        """Weigh the loss of a batch; see :func:`cam_activation_loss`."""
        return self.loss_weight * cam_activation_loss(
            cams, pairs, seeds, self.average
        )
