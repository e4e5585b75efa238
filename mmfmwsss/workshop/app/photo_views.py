# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What the page shows of a photo: pictures of seed, CAMs and masks."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ...apis.seed_one_photo import PhotoSeed
from ...structures import LEVEL_NAMES
from ...utils.palette_png import voc_palette
from ...visualization.explain import paint_decisions
from ...visualization.label_pictures import enlarged, paint_named_labels
from ...visualization.painting import overlay_cam
from ...visualization.sheet import with_legend

__all__ = [
    'cam_views',
    'mask_views',
    'photo_point',
    'photo_view',
    'seed_view',
    'thumbnail',
]

RGB = NDArray[np.uint8]  # (H, W, 3)
View = tuple[RGB, str]  # picture and caption

_GREY = (150, 150, 150)
_YELLOW = (255, 225, 0)


def thumbnail(image: RGB, side: int = 200) -> RGB:
    """Make a photo small: its longer side is at most this, pixels."""
    scale = min(1.0, side / max(image.shape[:2]))
    size = [max(1, round(s * scale)) for s in image.shape[1::-1]]
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def photo_view(image: RGB) -> RGB:
    """Show a photo without a seed, in the size of :func:`seed_view`."""
    return enlarged(image, image[..., 0])[0]


def photo_point(image: RGB, shown: Sequence[float]) -> tuple[int, int]:
    """Find the pixel of a photo that is at a point of its view.

    Args:
        image (ndarray): The photo, (H, W, 3).
        shown (Sequence[float]): x and y in :func:`photo_view` or
            :func:`seed_view`.

    Returns:
        tuple[int, int]: x and y; below the photo for a point of the legend.
    """
    factor = photo_view(image).shape[0] // image.shape[0]
    return int(shown[0] // factor), int(shown[1] // factor)


def seed_view(image: RGB, result: PhotoSeed, chosen: int | None = None) -> RGB:
    """Paint the seed over the photo, with names and shares.

    Args:
        image (ndarray): RGB, uint8, (H, W, 3).
        result (PhotoSeed): Of the photo.
        chosen (int, optional): A mask that gets a yellow outline.

    Returns:
        ndarray: RGB, uint8; the photo is at its top left.
    """
    palette = voc_palette(len(result.tags) + 1)
    names = ['background', *result.tags]
    picture = paint_named_labels(image, result.seed.numpy(), names, palette)
    if chosen is not None:
        _outline(picture, image, result.masks.masks[chosen].numpy())
    return picture


def _outline(picture: RGB, image: RGB, mask: NDArray[np.bool_]) -> None:
    """Draw the outline of a mask of the photo on its view, in place."""
    large = enlarged(image, mask.astype(np.uint8))[1]
    outlines, _ = cv2.findContours(
        np.ascontiguousarray(large, np.uint8),
        cv2.RETR_EXTERNAL,
        cv2.CHAIN_APPROX_NONE,
    )
    for colour, width in (((0, 0, 0), 5), (_YELLOW, 3)):
        cv2.drawContours(picture, outlines, -1, colour, width)


def cam_views(image: RGB, result: PhotoSeed) -> list[View]:
    """Paint the CAM of each tag, with its score (Eq. 1) in the caption."""
    return [
        (
            overlay_cam(image, cam),
            f'{tag}: score {result.scores.get(tag, 0):.2f}',
        )
        for tag, cam in zip(result.tags, result.cams.numpy(), strict=True)
    ]


def mask_views(image: RGB, result: PhotoSeed) -> list[View]:
    """Paint the masks of each level in the colours of their classes.

    Args:
        image (ndarray): RGB, uint8, (H, W, 3).
        result (PhotoSeed): Of the photo.

    Returns:
        list[tuple[ndarray, str]]: Wholes first; a level without masks is left
        out.
    """
    colours = [_GREY, *voc_palette(len(result.tags) + 1)[1:]]
    counts = result.masks.level_counts()
    views = []
    for level in (2, 1, 0):
        if not counts[level]:
            continue
        painted = paint_decisions(
            image, result.masks, result.decisions, colours, level
        )
        legend = with_legend(painted, ['background', *result.tags], colours)
        plural = 's' * (counts[level] > 1)
        title = f'{counts[level]} {LEVEL_NAMES[level]} mask{plural}'
        views.append((legend, title))
    return views
