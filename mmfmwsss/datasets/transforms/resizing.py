# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Resize arrays as the official preprocessing does."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ['resize_bicubic', 'resize_nearest']

Array = NDArray[Any]


def resize_bicubic(image: Array, size: tuple[int, int]) -> Array:
    """Resize as PIL does, as CLIP's and the official preprocessing do.

    Args:
        image (ndarray): Picture, uint8, (H, W, 3).
        size (tuple[int, int]): New (H, W).

    Returns:
        ndarray: uint8, (H, W, 3) of the new size.

    Raises:
        ValueError: If the image is not uint8 with three channels.
    """
    # Check that Pillow resizes all channels together
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            'Expected a uint8 image of (H, W, 3), but got '
            f'{image.dtype} of {image.shape}.'
        )
    # Resize by Pillow, whose bicubic filter smooths when it shrinks
    picture = Image.fromarray(np.ascontiguousarray(image))
    return np.array(picture.resize(size[::-1], Image.Resampling.BICUBIC))


def resize_nearest(array: Array, size: tuple[int, int]) -> Array:
    """Take for each new pixel the old one under its centre.

    Unlike OpenCV's, it is not shifted by half a pixel against the bicubic
    picture, and takes any number of channels.

    Args:
        array (ndarray): Label map or bit planes, (H, W) or (H, W, B).
        size (tuple[int, int]): New (H, W).

    Returns:
        ndarray: Same type and channels, new size.
    """
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(np.intp)
        for new, old in zip(size, array.shape[:2], strict=True)
    )
    return array[rows[:, None], columns[None, :]]
