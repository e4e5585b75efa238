# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pictures of every stage side by side."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ..structures import SAMMasks

__all__ = ['overlay_cam', 'paint_labels', 'paint_masks', 'picture_sheet']

Image = NDArray[np.uint8]  # RGB, (H, W, 3)

_BLACK = (0, 0, 0)


def overlay_cam(image: Image, cam: NDArray[np.floating]) -> Image:
    """Lay a class activation map over a picture as a heat map.

    Args:
        image (ndarray): RGB, uint8, (H, W, 3).
        cam (ndarray): Map of one class, (H, W); clamped at 0 and stretched to
            0..1, as the seeders do.

    Returns:
        ndarray: RGB, uint8, (H, W, 3).
    """
    positive = np.clip(cam, 0, None)
    low, high = float(positive.min()), float(positive.max())
    scaled = (positive - low) / max(high - low, 1e-12)
    heat = cv2.applyColorMap((255 * scaled).astype(np.uint8), cv2.COLORMAP_JET)
    return np.asarray(0.45 * image + 0.55 * heat[..., ::-1], np.uint8)


def paint_labels(
    image: Image,
    labels: NDArray[np.integer],
    palette: Sequence[Sequence[int]],
    opacity: float = 0.75,
) -> Image:
    """Lay a label map over a picture; background and 255 stay as they are.

    Args:
        image (ndarray): RGB, uint8, (H, W, 3).
        labels (ndarray): Class index plus one, 0 background, (H, W).
        palette (Sequence): RGB of each label.
        opacity (float): Of the colours, 0 to 1.

    Returns:
        ndarray: RGB, uint8, (H, W, 3).
    """
    colours = np.zeros((256, 3), np.float32)
    colours[: len(palette)] = palette
    shown = ((labels > 0) & (labels != 255))[..., None]
    mixed = (1 - opacity) * image + opacity * colours[labels]
    return np.asarray(np.where(shown, mixed, 0.6 * image), np.uint8)


def paint_masks(image: Image, masks: SAMMasks, level: int) -> Image:
    """Paint the masks of one level in colours of their own.

    Args:
        image (ndarray): RGB, uint8, (H, W, 3).
        masks (SAMMasks): Masks of all levels, of the picture's size.
        level (int): 0 sub-part, 1 part, 2 whole.

    Returns:
        ndarray: RGB, uint8, (H, W, 3). Small masks lie on top of large ones.
    """
    chosen = masks.filter(masks.levels == level).masks.cpu()
    order = torch.argsort(chosen.sum(dim=(1, 2)), descending=True)
    canvas = 0.35 * image.astype(np.float32)
    for number, index in enumerate(order.tolist()):
        hue = int(180 * (number * 0.618 % 1))  # golden ratio: far apart
        hsv = np.array([[[hue, 190, 240]]], np.uint8)
        colour = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]
        where = chosen[index].numpy()
        canvas[where] = 0.3 * image[where] + 0.7 * colour
    return canvas.astype(np.uint8)


def picture_sheet(
    rows: Sequence[Sequence[Image]],
    titles: Sequence[str],
    names: Sequence[str],
    cell: int = 140,
) -> Image:
    """Arrange pictures in a table with a heading above each column.

    Args:
        rows (Sequence): A row of pictures each, one picture a column.
        titles (Sequence[str]): Heading of each column.
        names (Sequence[str]): Line of text below each row.
        cell (int): Side of a cell, pixels. Pictures are fitted into it.

    Returns:
        ndarray: RGB, uint8.

    Raises:
        ValueError: If a row has not one picture for each title.
    """
    margin, head = 6, 24
    height = head + len(rows) * (cell + head)
    sheet = np.full((height, margin + len(titles) * (cell + margin), 3), 255)
    sheet = sheet.astype(np.uint8)
    for column, title in enumerate(titles):
        _write(sheet, title, margin + column * (cell + margin), head - 8)
    for r, (row, name) in enumerate(zip(rows, names, strict=True)):
        if len(row) != len(titles):
            raise ValueError(
                f'Expected {len(titles)} pictures in row {r}, one for each '
                f'title, but got {len(row)}.'
            )
        top = head + r * (cell + head)
        for column, picture in enumerate(row):
            left = margin + column * (cell + margin)
            fitted = _fit(picture, cell)
            h, w = fitted.shape[:2]
            sheet[top : top + h, left : left + w] = fitted
        _write(sheet, name, margin, top + cell + 14)
    return sheet


def _fit(picture: Image, side: int) -> Image:
    scale = side / max(picture.shape[:2])
    height, width = (max(1, round(s * scale)) for s in picture.shape[:2])
    resized = cv2.resize(
        picture, (width, height), interpolation=cv2.INTER_NEAREST
    )
    return np.asarray(resized, np.uint8)


def _write(sheet: Image, text: str, x: int, y: int) -> None:
    cv2.putText(
        sheet, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, _BLACK, 1,
        cv2.LINE_AA,
    )  # fmt: skip
