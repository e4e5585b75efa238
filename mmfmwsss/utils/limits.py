# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Limit what files may claim, before memory is taken for it."""

import os
from pathlib import Path

from .errors import UserInputError

__all__ = [
    'MAX_CAM_BYTES',
    'MAX_CLASSES',
    'MAX_MASKS',
    'MAX_MASK_FILE_BYTES',
    'MAX_MASK_PIXELS',
    'MAX_PICTURE_BYTES',
    'MAX_PIXELS',
    'MAX_TEXT_BYTES',
    'check_file_bytes',
    'check_mask_room',
    'checked_size',
]

# What Pillow opens at most: a photo, a satellite tile, a mask of either.
MAX_PIXELS = 178_956_970
MAX_MASKS = 65_536  # of one picture
MAX_MASK_PIXELS = 2**32  # of all masks of one picture: 4 GiB as booleans
MAX_MASK_FILE_BYTES = 2**27  # parsed JSON takes up to thirty times that
MAX_PICTURE_BYTES = 2**31
MAX_CAM_BYTES = 2**32
MAX_CLASSES = 254  # of 8 bits: 0 is background, 255 counts for nothing
MAX_TEXT_BYTES = 2**31  # COCO's instances are 0.5 GB


def checked_size(
    height: object, width: object, where: str | os.PathLike[str]
) -> tuple[int, int]:
    """Believe the size of a picture or a mask, if it is one.

    Args:
        height (object): What the file says.
        width (object): What the file says.
        where (str | PathLike): The file, for the message.

    Returns:
        tuple[int, int]: Height and width in pixels.

    Raises:
        UserInputError: If they are no positive integers, or have more than
            ``MAX_PIXELS`` pixels.
    """
    # Refuse what is no size.
    numbers = [height, width]
    if any(type(n) is not int or n < 1 for n in numbers):
        raise UserInputError(
            f'Expected height and width in pixels in {where}, but got '
            f'{str(numbers)[:80]}. Make the file again.'
        )
    # Refuse more pixels than memory is taken for.
    rows, columns = int(str(height)), int(str(width))
    if rows * columns > MAX_PIXELS:
        raise UserInputError(
            f'Expected at most {MAX_PIXELS:,} pixels in {where}, but it has '
            f'{columns} x {rows} = {rows * columns:,}. Cut the picture into '
            'tiles or make it smaller, and its masks with it.'
        )
    return rows, columns


def check_mask_room(
    count: int, size: tuple[int, int], where: str | os.PathLike[str]
) -> None:
    """Refuse more masks of a picture than memory should be taken for.

    Raises:
        UserInputError: If there are more than ``MAX_MASKS``, or they have
            more than ``MAX_MASK_PIXELS`` pixels.
    """
    pixels = count * size[0] * size[1]
    if count > MAX_MASKS or pixels > MAX_MASK_PIXELS:
        raise UserInputError(
            f'Expected at most {MAX_MASKS:,} masks with {MAX_MASK_PIXELS:,} '
            f'pixels in all in {where}, but it has {count:,} masks of '
            f'{size[1]} x {size[0]} = {pixels:,} pixels. Keep fewer masks, or '
            'make them of a smaller picture.'
        )


def check_file_bytes(path: str | os.PathLike[str], limit: int) -> int:
    """Check the size of a file that is to be read whole.

    Raises:
        UserInputError: If it is no file, or has more than ``limit`` bytes.
    """
    file = Path(path)
    if not file.is_file():
        raise UserInputError(
            f'Expected a file at {file}, but it is not there. Correct the '
            'path in the config, or put the file there.'
        )
    # Refuse more bytes than memory is taken for.
    count = file.stat().st_size
    if count > limit:
        raise UserInputError(
            f'Expected at most {limit:,} bytes in {file}, but it has '
            f'{count:,}. Is it the right file? Split or shrink it.'
        )
    return count
