# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""CAM activation loss, L_CAL (Eq. 13 to 15)."""

from typing import Literal

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

__all__ = ['CAMActivationLoss', 'cam_activation_loss']


def cam_activation_loss(
    cams: Tensor, pairs: Tensor, seeds: Tensor, ignore_index: int = 255
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
    cams = F.interpolate(
        cams[:, None].float(),
        size=seeds.shape[-2:],
        mode='bilinear',
        align_corners=False,
    )[:, 0]  # (P, H, W)
    seed = seeds[pairs[:, 0]]
    counted = seed != ignore_index
    inside = seed == pairs[:, 1, None, None] + 1
    with torch.no_grad():  # detached, so that the maximum is not lowered
        peak = cams.masked_fill(~inside, 0).flatten(1).amax(dim=1)
    raise_inside = (peak[:, None, None] - cams).abs() * inside
    lower_outside = cams.clamp(min=0) * (counted & ~inside)
    total = (raise_inside + lower_outside).sum(dim=(1, 2))
    return total, counted.sum(dim=(1, 2))


@MODELS.register_module()
class CAMActivationLoss(nn.Module):
    """L_CAL of FMA-WSSS; see :func:`cam_activation_loss`.

    Args:
        average (str): ``'image'`` divides by |P| H W of each image, then
            averages over the images (Eq. 15); ``'batch'`` divides by all
            pixels of all maps of the batch (official code).
        ignore_index (int): Seed value that counts for nothing.
        loss_weight (float): Factor of the loss.
        loss_name (str): Key of the loss in the log.
    """

    def __init__(
        self,
        average: Literal['image', 'batch'] = 'image',
        ignore_index: int = 255,
        loss_weight: float = 1.0,
        loss_name: str = 'loss_cal',
    ) -> None:
        super().__init__()
        if average not in ('image', 'batch'):
            raise ValueError(
                f"Expected `average` to be 'image' or 'batch', but got "
                f'{average!r}.'
            )
        self.average = average
        self.ignore_index = ignore_index
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, cams: Tensor, pairs: Tensor, seeds: Tensor) -> Tensor:
        """Loss of a batch, a scalar; 0 if nothing counts."""
        if not len(cams):
            return cams.sum()
        total, pixels = cam_activation_loss(
            cams, pairs, seeds, self.ignore_index
        )
        if self.average == 'batch':
            mean = total.sum() / pixels.sum().clamp(min=1)
        else:
            sums = total.new_zeros(2, len(seeds))
            sums.index_add_(
                1, pairs[:, 0], torch.stack([total, pixels.to(total.dtype)])
            )
            per_image = sums[0] / sums[1].clamp(min=1)
            mean = per_image.sum() / (sums[1] > 0).sum().clamp(min=1)
        return self.loss_weight * mean
