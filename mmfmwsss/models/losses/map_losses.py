# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pixels and averages that the losses of class activation maps share."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...utils import UserInputError
from ...utils.arrays import ArrayLike, as_tensor
from ...utils.labels import IGNORE_LABEL

__all__ = [
    'MapAverage',
    'MapLoss',
    'average_over_maps',
    'maps_and_seeds',
    'maps_on_seeds',
]

MapAverage = Literal['image', 'batch']


def maps_and_seeds(
    cams: ArrayLike, pairs: ArrayLike, seeds: ArrayLike
) -> tuple[Tensor, Tensor, Tensor]:
    """Bring maps, pairs and seeds of any kind to tensors on one device.

    Args:
        cams (ArrayLike): Signed class activation maps, (P, h, w).
        pairs (ArrayLike): (image, class) of each map, whole numbers, (P, 2).
        seeds (ArrayLike): Seed maps, whole numbers, (N, H, W).

    Returns:
        tuple[Tensor, Tensor, Tensor]: The three; the pairs are int64.

    Raises:
        UserInputError: If they are not of these shapes.
    """
    # Bring them to one device
    maps = as_tensor(cams, 'cams')
    places = as_tensor(pairs, 'pairs').to(maps.device)
    if not places.numel():  # an empty list has no type and no columns
        places = places.reshape(-1, 2).long()
    labels = as_tensor(seeds, 'seeds').to(maps.device)
    # Refuse what does not fit, by shapes and types alone
    fits = maps.ndim == 3 and places.shape == (len(maps), 2)
    whole = not (places.is_floating_point() or labels.is_floating_point())
    if not (fits and whole and labels.ndim == 3):
        raise UserInputError(
            'Expected `cams` (P, h, w), `pairs` (P, 2) of (image, class) and '
            '`seeds` (N, H, W), the last two of whole numbers, but got '
            + ', '.join(
                f'{values.dtype} of {tuple(values.shape)}'
                for values in (maps, places, labels)
            )
            + '.'
        )
    return maps, places.long(), labels


def maps_on_seeds(
    cams: Tensor, pairs: Tensor, seeds: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Lay each map on the seed of its image.

    Args:
        cams (Tensor): Signed class activation maps, (P, h, w).
        pairs (Tensor): (image, class) of each map, int64, (P, 2).
        seeds (Tensor): Seed maps, 0 background, class + 1, 255 counts for
            nothing, (N, H, W).

    Returns:
        tuple[Tensor, Tensor, Tensor]: Maps at the seeds' size, float32; the
        pixels that are of the map's class, and those that count, both bool.
        All (P, H, W).

    Example:
        >>> cams = torch.tensor([[[0.5]]])  # one map of one patch
        >>> seeds = torch.tensor([[[3, 0, 255]]])
        >>> maps, inside, counted = maps_on_seeds(
        ...     cams, torch.tensor([[0, 2]]), seeds
        ... )
        >>> maps.tolist()
        [[[0.5, 0.5, 0.5]]]
        >>> inside.tolist(), counted.tolist()
        ([[[True, False, False]]], [[[True, True, False]]])
    """
    # Enlarge the maps to the size of the seeds
    if len(cams):
        resized = F.interpolate(
            cams[:, None].float(),
            size=seeds.shape[-2:],
            mode='bilinear',
            align_corners=False,
        )[:, 0]
    else:  # still a function of the maps, for the sake of its gradient
        resized = cams[:, :1, :1].float().expand(-1, *seeds.shape[-2:])
    # Mark the pixels of the map's class, and those that count
    seed = seeds[pairs[:, 0]]
    return resized, seed == pairs[:, 1, None, None] + 1, seed != IGNORE_LABEL


def average_over_maps(
    losses: Tensor,
    counted: Tensor,
    images: Tensor,
    num_images: int,
    average: MapAverage,
) -> Tensor:
    """Average a loss over the pixels of all maps.

    Args:
        losses (Tensor): Loss of each pixel, 0 where it does not count,
            (P, H, W).
        counted (Tensor): True where a pixel counts, bool, (P, H, W).
        images (Tensor): Index of the image of each map, int64, (P,).
        num_images (int): N.
        average (str): ``'image'`` divides by |P| H W of each image, then
            averages over the images (Eq. 15); ``'batch'`` divides by all
            pixels of all maps of the batch (official code).

    Returns:
        Tensor: A scalar; 0 if no pixel counts.

    Example:
        >>> losses = torch.tensor([[[4.0, 2.0]], [[9.0, 0.0]]])
        >>> counted = torch.tensor([[[True, True]], [[True, False]]])
        >>> images = torch.tensor([0, 1])
        >>> average_over_maps(losses, counted, images, 2, 'image')
        tensor(6.)
        >>> average_over_maps(losses, counted, images, 2, 'batch')
        tensor(5.)
        >>> one_image = torch.tensor([0, 0])
        >>> average_over_maps(losses, counted, one_image, 1, 'image')
        tensor(5.)
    """
    # Sum the loss and count the pixels of each map
    total = losses.sum(dim=(1, 2))  # (P,)
    pixels = counted.sum(dim=(1, 2))
    if average == 'batch':
        return total.sum() / pixels.sum().clamp(min=1)
    # Average within each image, then over the images (Eq. 15)
    sums = total.new_zeros(2, num_images)
    both = torch.stack([total, pixels.to(total.dtype)])
    sums = sums.index_add(1, images, both)
    per_image = sums[0] / sums[1].clamp(min=1)
    return per_image.sum() / (sums[1] > 0).sum().clamp(min=1)


class MapLoss(nn.Module):
    """Hold the settings of a loss of class activation maps on seeds.

    Args:
        average (str): See :func:`average_over_maps`.
        loss_weight (float): Factor of the loss.
        loss_name (str): Key of the loss in the log.

    Raises:
        ValueError: If ``average`` is not ``'image'`` or ``'batch'``.
    """

    def __init__(
        self, average: MapAverage, loss_weight: float, loss_name: str
    ) -> None:
        super().__init__()
        if average not in ('image', 'batch'):
            raise ValueError(
                f"Expected `average` to be 'image' or 'batch', but got "
                f'{average!r}.'
            )
        self.average: MapAverage = average
        self.loss_weight = loss_weight
        self.loss_name = loss_name
