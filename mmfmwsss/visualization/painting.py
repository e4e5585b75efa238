# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Paint maps, masks and seeds over a picture: arrays in, arrays out.

Pictures are RGB, uint8, (H, W, 3); nothing is changed in place.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ..structures import SAMMasks
from ..utils.labels import IGNORE_LABEL
from .error_kinds import ERROR_COLOURS, NOT_SCORED, error_kinds

__all__ = [
    'label_borders',
    'overlay_cam',
    'paint_errors',
    'paint_labels',
    'paint_masks',
]

Image = NDArray[np.uint8]  # RGB, (H, W, 3)

_TINY = 1e-12


def overlay_cam(
    image: Image,
    cam: NDArray[np.floating],
    signed: bool = False,
    peak: float | None = None,
    opacity: float = 0.55,
) -> Image:
    """Lay a class activation map over a picture as a heat map.

    Args:
        image (ndarray): RGB, uint8, (H, W, 3).
        cam (ndarray): Map of one class, (H, W).
        signed (bool): False: clamped at 0 and stretched to 0..1, as the
            seeders do; blue is 0, red the maximum. True: 0 leaves the picture
            grey, red is for the class, blue against it, the stronger the more
            colour.
        peak (float, optional): Activation that gets the full colour, for
            pictures that are to be compared. Default: the map's own extreme.
        opacity (float): Of the heat map, 0 to 1.

    Returns:
        ndarray: RGB, uint8, (H, W, 3).

    Raises:
        ValueError: If the sizes differ.
    """
    # Show negative values in a colour of their own
    _check_size(image, cam, 'cam')
    if signed:
        return _overlay_signed(image, cam, peak, opacity)
    # Stretch the positive values to 0..1, or up to a common peak
    positive = np.clip(cam, 0, None)
    low = 0.0 if peak is not None else float(positive.min())
    high = float(positive.max()) if peak is None else peak
    scaled = np.clip((positive - low) / max(high - low, _TINY), 0, 1)
    # Colour them, and mix them with the picture
    heat = cv2.applyColorMap(
        (255 * scaled).astype(np.uint8), cv2.COLORMAP_TURBO
    )
    return _mix(image, heat[..., ::-1], opacity)


def _overlay_signed(
    image: Image,
    cam: NDArray[np.floating],
    peak: float | None,
    opacity: float,
) -> Image:
    extreme = float(np.abs(cam).max()) if peak is None else peak
    strength = np.clip(cam / max(extreme, _TINY), -1, 1)[..., None]
    colour = np.where(strength > 0, (200, 20, 40), (20, 70, 220))
    grey = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    return _mix(grey, colour, opacity * np.abs(strength))


def paint_labels(
    image: Image,
    labels: NDArray[np.integer],
    palette: Sequence[Sequence[int]],
    opacity: float = 0.75,
    borders: bool = False,
) -> Image:
    """Lay a label map over a picture, background and 255 without colour.

    Args:
        image (ndarray): RGB, uint8, (H, W, 3).
        labels (ndarray): Class index plus one, 0 background, (H, W).
        palette (Sequence): RGB of each label.
        opacity (float): Of the colours, 0 to 1.
        borders (bool): Whether to draw a white line where labels meet.

    Returns:
        ndarray: RGB, uint8, (H, W, 3).

    Raises:
        ValueError: If the sizes differ.
    """
    _check_size(image, labels, 'labels')
    # Look up the colours of the labels
    colours = np.zeros((256, 3), np.float32)
    colours[: len(palette)] = palette
    # Mix them in, and darken the rest
    shown = ((labels > 0) & (labels != IGNORE_LABEL))[..., None]
    mixed = (1 - opacity) * image + opacity * colours[labels]
    painted = np.asarray(np.where(shown, mixed, 0.6 * image), np.uint8)
    # Draw white lines between labels
    if borders:
        painted[label_borders(labels)] = 255
    return painted


def label_borders(labels: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Find the pixels whose right or lower neighbour has another label.

    Args:
        labels (ndarray): Label map, (H, W).

    Returns:
        ndarray: bool, (H, W). The line is one pixel wide.
    """
    borders = np.zeros(labels.shape, bool)
    borders[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    borders[:-1] |= labels[:-1] != labels[1:]
    return borders


def paint_errors(
    image: Image,
    labels: NDArray[np.integer],
    truth: NDArray[np.integer],
    opacity: float = 0.8,
    ignore_index: int = IGNORE_LABEL,
) -> Image:
    """Show where a label map is wrong, and in which way.

    The picture stays grey where the label is right. See ``ERROR_COLOURS`` for
    the others; pixels that do not count are white.

    Args:
        image (ndarray): RGB, uint8, (H, W, 3).
        labels (ndarray): Predicted labels, 0 background, (H, W).
        truth (ndarray): Ground truth, (H, W).
        opacity (float): Of the colours, 0 to 1.
        ignore_index (int): Truth that does not count.

    Returns:
        ndarray: RGB, uint8, (H, W, 3).

    Raises:
        ValueError: If the sizes differ.
    """
    # Tell the kinds of error apart
    _check_size(image, labels, 'labels')
    kinds = error_kinds(labels, truth, ignore_index)
    # Start from a dark grey picture, so that only errors have colour
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]
    canvas = np.repeat(0.7 * grey, 3, axis=2)
    # Tint each kind of error, and blank what is not scored
    for kind, colour in ERROR_COLOURS.items():
        where = kinds == kind
        mixed = (1 - opacity) * canvas[where] + opacity * np.asarray(colour)
        canvas[where] = mixed
    canvas[kinds == NOT_SCORED] = 255
    return canvas.astype(np.uint8)


def paint_masks(
    image: Image, masks: SAMMasks, level: int | None = None
) -> Image:
    """Paint masks in colours of their own.

    Args:
        image (ndarray): RGB, uint8, (H, W, 3).
        masks (SAMMasks): Masks of all levels, of the picture's size.
        level (int, optional): 0 sub-part, 1 part, 2 whole. Default: all.

    Returns:
        ndarray: RGB, uint8, (H, W, 3). Small masks lie on top of large ones.
    """
    # Take the masks of the level, the largest at the bottom
    kept = masks if level is None else masks.filter(masks.levels == level)
    chosen = kept.masks.cpu()
    order = torch.argsort(chosen.sum(dim=(1, 2)), descending=True)
    # Paint each in a hue of its own over the dim picture
    canvas = 0.35 * image.astype(np.float32)
    for number, index in enumerate(order.tolist()):
        hue = int(180 * (number * 0.618 % 1))  # golden ratio: far apart
        hsv = np.array([[[hue, 190, 240]]], np.uint8)
        colour = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]
        where = chosen[index].numpy()
        canvas[where] = 0.3 * image[where] + 0.7 * colour
    return canvas.astype(np.uint8)


def _mix(
    below: NDArray[Any],
    above: NDArray[Any],
    opacity: float | NDArray[np.floating],
) -> Image:
    return np.asarray((1 - opacity) * below + opacity * above, np.uint8)


def _check_size(image: Image, array: NDArray[np.number], name: str) -> None:
    if array.shape != image.shape[:2]:
        raise ValueError(
            f'{name} must be of the size of the image, '
            f'{image.shape[:2]}, got {array.shape}'
        )
