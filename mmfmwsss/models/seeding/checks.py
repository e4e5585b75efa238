# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeding: refuse what does not fit where it enters a seeder."""

import torch
from torch import Tensor

from ...structures import SAMMasks
from ...utils import UserInputError
from ...utils.limits import MAX_CLASSES

__all__ = [
    'check_channels',
    'check_classes',
    'check_image',
    'check_maps',
    'check_masks',
]


def check_maps(maps: Tensor, what: str, name: str) -> None:
    """Refuse maps that are not float, of three dimensions and finite.

    Args:
        maps (Tensor): Should be float, (channels, H, W).
        what (str): Their name in the message.
        name (str): Name of the seeder.

    Raises:
        UserInputError: If they are not, or have a NaN or an infinity.
    """
    # Refuse another type or shape
    if maps.ndim != 3 or not maps.is_floating_point() or 0 in maps.shape[1:]:
        raise UserInputError(
            f'{name} expected {what} as float of shape (channels, height, '
            f'width), got {maps.dtype} of shape {tuple(maps.shape)}. Convert '
            'with `.float()`, and leave a batch dimension out.'
        )
    if not maps.numel():
        return
    # One pass that keeps a NaN; all are looked at only if there is one
    if not torch.stack(torch.aminmax(maps)).isfinite().all():
        bad = ~maps.isfinite()
        channel = int(bad.flatten(1).any(1).nonzero()[0])
        raise UserInputError(
            f'{name} expected finite {what}, got {int(bad.sum())} of '
            f'{bad.numel()} values that are NaN or infinite, the first in '
            f'channel {channel}. Make the maps of this image again, without '
            'half precision if they were made with it.'
        )


def check_channels(probabilities: Tensor, name: str) -> None:
    """Refuse a number of channels that does not fit a label map.

    Args:
        probabilities (Tensor): Background first, (1 + C, H, W).
        name (str): Name of the seeder.

    Raises:
        UserInputError: If there is no channel, or more than 255.
    """
    if not 1 <= len(probabilities) <= MAX_CLASSES + 1:
        raise UserInputError(
            f'{name} expected a channel for the background and at most '
            f'{MAX_CLASSES} for classes, got {len(probabilities)}.'
        )


def check_classes(classes: Tensor, count: int, name: str) -> None:
    """Refuse classes that do not fit the CAMs or a label map.

    Args:
        classes (Tensor): Should be 0-based foreground indices, int64, (P,).
        count (int): Number of CAMs, P.
        name (str): Name of the seeder.

    Raises:
        UserInputError: If they are not one for each CAM, whole numbers in
            0..253, each once.
    """
    # Refuse anything but one whole number for each CAM
    whole = not (classes.is_floating_point() or classes.dtype == torch.bool)
    if classes.ndim != 1 or not whole or len(classes) != count:
        raise UserInputError(
            f'{name} expected one class index for each of {count} CAMs, '
            f'int64 of shape ({count},), got {classes.dtype} of shape '
            f'{tuple(classes.shape)}. Give the CAMs and the classes of the '
            'same image.'
        )
    # Refuse classes that 8 bits cannot hold
    found = classes.tolist()
    beyond = [index for index in found if not 0 <= index < MAX_CLASSES]
    if beyond:
        raise UserInputError(
            f'{name} expected class indices in 0..{MAX_CLASSES - 1} (seeds '
            f'have 8 bits: 0 background, class + 1, 255 ignored), got '
            f'{beyond[0]}. Count foreground classes from 0.'
        )
    # Refuse a class that comes twice
    repeated = [index for index in found if found.count(index) > 1]
    if repeated:
        raise UserInputError(
            f'{name} expected every class once, got {repeated[0]} for '
            f'{found.count(repeated[0])} CAMs. Join these CAMs, e.g. by '
            'their maximum.'
        )


def check_masks(
    masks: SAMMasks | None, size: tuple[int, int], name: str, needed: bool
) -> None:
    """Refuse masks of another size or of unknown levels, or their absence.

    Args:
        masks (SAMMasks, optional): S masks.
        size (tuple[int, int]): Height and width of the score maps.
        name (str): Name of the seeder.
        needed (bool): Refuse their absence.

    Raises:
        UserInputError: If they do not fit, or are needed and missing.
    """
    # Accept that there are none where none are needed
    if masks is None:
        if needed:
            raise UserInputError(
                f'{name} needs the masks of the image, got none. Add '
                "dict(type='LoadSAMMasks', mask_dir=...) to the pipeline and "
                "end it with dict(type='PackWSSSInputs'); tools/test.py "
                'configs/fmwsss/*_sam_masks.py makes the masks.'
            )
        return
    # Refuse masks of another image
    if tuple(masks.size) != tuple(size):
        raise UserInputError(
            f'{name} expected masks of the size of the score maps, '
            f'{tuple(size)} (height, width), got {tuple(masks.size)}. Make '
            'masks and maps from the same image, or resize the maps to it.'
        )
    # Refuse levels that SAM has not
    beyond = sorted(set(masks.levels.tolist()) - {0, 1, 2})
    if beyond:
        raise UserInputError(
            f'{name} expected mask levels 0 (sub-part), 1 (part) or 2 (whole)'
            f', got {beyond[0]}. Make the masks again, or set `levels`.'
        )


def check_image(
    image: Tensor | None, size: tuple[int, int], name: str, needed: bool
) -> None:
    """Refuse an image of another size or type, or its absence.

    Args:
        image (Tensor, optional): Should be RGB, uint8, (H, W, 3).
        size (tuple[int, int]): Height and width of the score maps.
        name (str): Name of the seeder.
        needed (bool): Refuse its absence.

    Raises:
        UserInputError: If it does not fit, or is needed and missing.
    """
    # Accept that there is none where none is needed
    if image is None:
        if needed:
            raise UserInputError(
                f'{name} needs the RGB image (H, W, 3), got none. Give the '
                'image, or on the command line its folder with --images.'
            )
        return
    expected = (*size, 3)
    if tuple(image.shape) != expected or image.dtype != torch.uint8:
        raise UserInputError(
            f'{name} expected an image of shape {expected}, RGB of uint8, got '
            f'{image.dtype} of shape {tuple(image.shape)}. Give the image '
            'as it was loaded, and resize the score maps to it.'
        )
