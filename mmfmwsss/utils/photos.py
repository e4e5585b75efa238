# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Read a photo as every part of the package sees it."""

import os
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .errors import UserInputError
from .picture_files import (
    is_complete_image,
    open_picture,
    read_picture_bytes,
)

__all__ = ['decode_photo', 'photo_size', 'read_rgb']

_ORIENTATION = 0x0112
_BITS_PER_SAMPLE = 258
_BY_OPENCV = ('JPEG', 'MPO', 'PNG')  # as ever; of others Pillow knows more
_WITH_ALPHA = ('RGBA', 'LA', 'PA', 'RGBa', 'La')
_DARK = 2**14  # 16 bits that hold at most 14, as cameras write them


def read_rgb(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Read a photo as the pipelines do, in the order of colours of SAM.

    :func:`decode_photo` says what becomes of other formats.

    Args:
        path (str | PathLike): The file.

    Returns:
        NDArray[np.uint8]: RGB, contiguous, (H, W, 3).

    Raises:
        UserInputError: If it is missing or cannot be read completely.
    """
    image = decode_photo(read_picture_bytes(path), path)
    return np.ascontiguousarray(image[..., ::-1])


def decode_photo(
    data: bytes, path: str | os.PathLike[str]
) -> NDArray[np.uint8]:
    """Decode a photo as a viewer shows it.

    Turned as EXIF says, in all formats; grey and CMYK become three channels;
    what is transparent is put on white; 16 bits become 8. Bytes behind the
    end of a JPEG or PNG, the film of a phone, are no concern.

    Args:
        data (bytes): Content of the file.
        path (str | PathLike): The file, for the message.

    Returns:
        NDArray[np.uint8]: BGR, (H, W, 3).

    Raises:
        UserInputError: If it is empty, cut off or no picture, is animated,
            has more than ``MAX_PIXELS`` pixels, or has more than 8 bits that
            it does not fill.
    """
    if not is_complete_image(data):
        raise _unreadable(data, path)
    with open_picture(data, path) as picture:
        # Decode by depth, transparency and format, in this order.
        if _is_deep(picture, data):
            image = _shallow(_by_opencv(data, path, True), path)
        elif _is_transparent(picture):
            image = _on_white(np.asarray(picture.convert('RGBA')))[..., ::-1]
        elif picture.format in _BY_OPENCV:
            image = _by_opencv(data, path, False)
        else:
            image = np.asarray(picture.convert('RGB'))[..., ::-1]
        # Pillow has turned a TIFF when it is loaded, and forgot the tag.
        way = 1 if picture.format == 'TIFF' else _orientation(picture)
        return np.ascontiguousarray(_turned(image, way))


def photo_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Find height and width of a photo as ``read_rgb`` has it, upright.

    It reads the header, not the pixels.

    Raises:
        UserInputError: If the file is missing, or is no picture of a size
            that can be read.
    """
    with open_picture(read_picture_bytes(path), path) as picture:
        height, width = picture.height, picture.width
        if picture.format != 'TIFF' and _orientation(picture) >= 5:
            height, width = width, height
        return height, width


def _by_opencv(
    data: bytes, path: str | os.PathLike[str], deep: bool
) -> NDArray[Any]:
    # Leave EXIF's turning to the caller.
    flag = cv2.IMREAD_UNCHANGED
    if not deep:
        flag = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except cv2.error as error:
        raise _unreadable(data, path) from error
    if image is None:
        raise _unreadable(data, path)
    return np.asarray(image)


def _unreadable(data: bytes, path: str | os.PathLike[str]) -> UserInputError:
    return UserInputError(
        f'Expected a complete picture in {path}, but its {len(data)} bytes '
        'are empty, cut off or no picture. Replace the file, or take it out '
        'of the image list.'
    )


def _is_deep(picture: Image.Image, data: bytes) -> bool:
    """Tell whether a channel has more than eight bits."""
    # Ask the mode first, then the header of the format.
    if picture.mode.startswith('I') or picture.mode == 'F':
        return True
    if picture.format == 'PNG':
        return data[24] > 8
    if picture.format == 'TIFF':
        bits = picture.getexif().get(_BITS_PER_SAMPLE, 8)
        return max(bits if isinstance(bits, tuple) else (bits,)) > 8
    return False


def _shallow(image: NDArray[Any], path: str | os.PathLike[str]) -> Any:
    """Bring sixteen bits to eight, if they are filled."""
    # Pass what has eight bits.
    if image.dtype == np.uint8:
        return image if image.ndim == 3 else np.dstack([image] * 3)
    # Refuse what would turn out black.
    top = image[..., :3].max() if image.ndim == 3 else image.max()
    if image.dtype != np.uint16 or 0 < top < _DARK:
        bits = max(8, int(top).bit_length()) if np.isfinite(top) else 32
        remedy = (
            f'`magick IN -evaluate multiply {2 ** (16 - bits)} -depth 8 OUT`'
            if image.dtype == np.uint16
            else '`magick IN -auto-level -depth 8 OUT`'
        )
        raise UserInputError(
            f'Expected 8 bits a channel in {path}, but it has {image.dtype} '
            f'up to {top}: it would be read as (almost) black. Convert all '
            f'pictures of its kind alike, e.g. with {remedy}.'
        )
    # Keep the upper eight bits, in three channels.
    eight = (image >> 8).astype(np.uint8)
    if eight.ndim == 2:
        return np.dstack([eight] * 3)
    return _on_white(eight) if eight.shape[2] == 4 else eight


def _is_transparent(picture: Image.Image) -> bool:
    return picture.mode in _WITH_ALPHA or 'transparency' in picture.info


def _on_white(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Put three channels with alpha on white."""
    if image[..., 3].min() == 255:
        return image[..., :3]
    # Mix each colour with white by its alpha.
    alpha = image[..., 3:].astype(np.float32) / 255
    return np.rint(image[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)


def _orientation(picture: Image.Image) -> int:
    way = picture.getexif().get(_ORIENTATION, 1)
    return way if isinstance(way, int) and 1 <= way <= 8 else 1


def _turned(image: NDArray[Any], way: int) -> NDArray[Any]:
    """Turn and mirror as EXIF's eight ways say."""
    # Swap rows and columns first, then mirror.
    if way in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if way in (2, 3, 6, 7):
        image = image[:, ::-1]
    if way in (3, 4, 7, 8):
        image = image[::-1]
    return image
