# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A label map over its photo, with the names of the classes."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ..utils.labels import IGNORE_LABEL
from .painting import paint_labels
from .sheet import with_legend
from .texts import text_width, write_text

__all__ = ['enlarged', 'paint_named_labels']

Image = NDArray[np.uint8]  # RGB, (H, W, 3)

_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_LEAST_SIDE = 480  # pixels, so that names have room


def paint_named_labels(
    image: Image,
    labels: NDArray[np.integer],
    classes: Sequence[str],
    palette: Sequence[Sequence[int]],
    opacity: float = 0.5,
    legend: bool = True,
) -> Image:
    """Paint a label map over its photo: colours, borders, names, legend.

    Args:
        image (ndarray): RGB, uint8, (H, W, 3).
        labels (ndarray): 0 background, 255 ignored, (H, W).
        classes (Sequence[str]): Name of each label, background first.
        palette (Sequence): RGB of each label.
        opacity (float): Of the colours, 0 to 1.
        legend (bool): Whether to enlarge small photos, so that the names can
            be read, and to put a line for each class that is there, with its
            share of the photo, below. False keeps the size.

    Returns:
        ndarray: RGB, uint8.

    Raises:
        ValueError: If the sizes differ.
    """
    # Lay the colours over the photo
    shares = _shares(labels, len(classes))
    if legend:
        image, labels = enlarged(image, labels)
    picture = paint_labels(image, labels, palette, opacity, borders=True)
    # Name the largest region of each class, where there is room
    for label in shares:
        _write_in_region(picture, labels == label, classes[label])
    if not legend:
        return picture
    # Put the legend below
    lines = [f'{classes[n]}  {share:.0%}' for n, share in shares.items()]
    height = max(24, max(picture.shape[:2]) // 22)
    colours = [palette[label] for label in shares]
    return with_legend(picture, lines, colours, height)


def enlarged(
    image: Image, labels: NDArray[np.integer], side: int = _LEAST_SIDE
) -> tuple[Image, NDArray[np.integer]]:
    """Enlarge a photo and its labels by a whole number, if they are small.

    Args:
        image (ndarray): RGB, uint8, (H, W, 3).
        labels (ndarray): (H, W).
        side (int): The longer side is at least this, pixels.

    Returns:
        tuple[ndarray, ndarray]: Both, in the size of each other.
    """
    factor = -(-side // max(image.shape[:2]))
    if factor == 1:
        return image, labels
    size = (image.shape[1] * factor, image.shape[0] * factor)
    picture = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(picture, np.uint8), labels.repeat(factor, 0).repeat(
        factor, 1
    )


def _shares(labels: NDArray[np.integer], count: int) -> dict[int, float]:
    """Measure the classes of a label map, largest first, in shares of it."""
    found, pixels = np.unique(labels, return_counts=True)
    shares = {
        int(label): float(number / labels.size)
        for label, number in zip(found, pixels, strict=True)
        if 0 < label < count and label != IGNORE_LABEL
    }
    return dict(sorted(shares.items(), key=lambda pair: -pair[1]))


def _write_in_region(
    picture: Image, where: NDArray[np.bool_], name: str
) -> None:
    """Write a name where a class is widest, if it has room there."""
    # Find where the class is deep
    padded = np.pad(where.astype(np.uint8), 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    size = max(13, round(max(picture.shape[:2]) / 32))
    if depth.max() < size:
        return
    # Take the middle one of these points, which may be a ridge
    points = np.argwhere(depth >= 0.95 * depth.max())
    distances = np.square(points - points.mean(axis=0)).sum(axis=1)
    y, x = points[int(distances.argmin())]
    # Centre the name there, within the picture
    width = text_width(name, size)
    left = min(max(2, int(x) - width // 2), picture.shape[1] - width - 2)
    write_text(picture, name, (left, int(y) + size // 3), size, _WHITE, _BLACK)
