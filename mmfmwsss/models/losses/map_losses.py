# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What the losses of class activation maps share: pixels and averages."""

from abc import ABC, abstractmethod
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = [
    'MapAverage',
    'MapLoss',
    'average_over_maps',
    'maps_on_seeds',
]

MapAverage = Literal['image', 'batch']


def maps_on_seeds(
    cams: Tensor, pairs: Tensor, seeds: Tensor, ignore_index: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Lay each map on the seed of its image.

    Args:
        cams (Tensor): Signed class activation maps, (P, h, w).
        pairs (Tensor): (image, class) of each map, int64, (P, 2).
        seeds (Tensor): Seed maps, 0 background, class + 1, (N, H, W).
        ignore_index (int): Seed value that counts for nothing.

    Returns:
        tuple[Tensor, Tensor, Tensor]: Maps at the seeds' size, float32; the
        pixels that are of the map's class, and those that count, both bool.
        All (P, H, W).
    """
    cams = F.interpolate(
        cams[:, None].float(),
        size=seeds.shape[-2:],
        mode='bilinear',
        align_corners=False,
    )[:, 0]
    seed = seeds[pairs[:, 0]]
    return cams, seed == pairs[:, 1, None, None] + 1, seed != ignore_index


def average_over_maps(
    total: Tensor,
    pixels: Tensor,
    images: Tensor,
    num_images: int,
    average: MapAverage,
) -> Tensor:
    """Mean of a loss over the pixels of all maps.

    Args:
        total (Tensor): Summed loss of each map, (P,).
        pixels (Tensor): Number of pixels that count in each map, (P,).
        images (Tensor): Index of the image of each map, int64, (P,).
        num_images (int): N.
        average (str): ``'image'`` divides by |P| H W of each image, then
            averages over the images (Eq. 15); ``'batch'`` divides by all
            pixels of all maps of the batch (official code).

    Returns:
        Tensor: A scalar; 0 if no pixel counts.
    """
    if average == 'batch':
        return total.sum() / pixels.sum().clamp(min=1)
    sums = total.new_zeros(2, num_images)
    both = torch.stack([total, pixels.to(total.dtype)])
    sums = sums.index_add(1, images, both)
    per_image = sums[0] / sums[1].clamp(min=1)
    return per_image.sum() / (sums[1] > 0).sum().clamp(min=1)


class MapLoss(nn.Module, ABC):
    """A loss of class activation maps on seeds.

    Args:
        average (str): See :func:`average_over_maps`.
        ignore_index (int): Seed value that counts for nothing.
        loss_weight (float): Factor of the loss.
        loss_name (str): Key of the loss in the log.

    Raises:
        ValueError: If ``average`` is not ``'image'`` or ``'batch'``.
    """

    def __init__(
        self,
        average: MapAverage,
        ignore_index: int,
        loss_weight: float,
        loss_name: str,
    ) -> None:
        super().__init__()
        if average not in ('image', 'batch'):
            raise ValueError(
                f"Expected `average` to be 'image' or 'batch', but got "
                f'{average!r}.'
            )
        self.average: MapAverage = average
        self.ignore_index = ignore_index
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    @abstractmethod
    def sum_over_pixels(
        self, cams: Tensor, pairs: Tensor, seeds: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Summed loss of each map, (P,), and its pixels that count, (P,)."""

    def forward(self, cams: Tensor, pairs: Tensor, seeds: Tensor) -> Tensor:
        """Loss of a batch.

        Args:
            cams (Tensor): Signed class activation maps, (P, h, w).
            pairs (Tensor): (image, class) of each map, int64, (P, 2).
            seeds (Tensor): Seed maps, 0 background, class + 1, (N, H, W).

        Returns:
            Tensor: A scalar; 0 if nothing counts.
        """
        if not len(cams):
            return cams.sum()
        total, pixels = self.sum_over_pixels(cams, pairs, seeds)
        mean = average_over_maps(
            total, pixels, pairs[:, 0], len(seeds), self.average
        )
        return self.loss_weight * mean
