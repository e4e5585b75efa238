# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pictures of every stage side by side."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .texts import write_text

__all__ = ['picture_sheet', 'with_legend']

Image = NDArray[np.uint8]  # RGB, (H, W, 3)

_SIZE = 12  # of the letters, pixels


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
        cell (int): Longer side of each picture, pixels. A row is as high as
            its highest one.

    Returns:
        ndarray: RGB, uint8.

    Raises:
        ValueError: If a row has not one picture for each title.
    """
    # Scale the pictures, of which each row needs the height of the highest
    fitted = [[_fit(picture, cell) for picture in row] for row in rows]
    heights = [max((p.shape[0] for p in row), default=0) for row in fitted]
    # Make a white sheet of the size of the table
    margin, head = 6, 24
    height = head + sum(heights) + len(rows) * head
    sheet = np.full((height, margin + len(titles) * (cell + margin), 3), 255)
    sheet = sheet.astype(np.uint8)
    # Write the headings
    for column, title in enumerate(titles):
        left = margin + column * (cell + margin)
        write_text(sheet, title, (left, head - 8), _SIZE)
    # Fill the rows, each with its name below
    top = head
    for r, (row, name) in enumerate(zip(fitted, names, strict=True)):
        if len(row) != len(titles):
            raise ValueError(
                f'Expected {len(titles)} pictures in row {r}, one for each '
                f'title, but got {len(row)}.'
            )
        # Put the pictures into their cells
        for column, picture in enumerate(row):
            left = margin + column * (cell + margin)
            h, w = picture.shape[:2]
            sheet[top : top + h, left : left + w] = picture
        write_text(sheet, name, (margin, top + heights[r] + 14), _SIZE)
        top += heights[r] + head
    return sheet


def with_legend(
    picture: Image,
    names: Sequence[str],
    colours: Sequence[Sequence[int]],
    line: int = 24,
) -> Image:
    """Put the names of colours below a picture.

    Args:
        picture (ndarray): RGB, uint8, (H, W, 3).
        names (Sequence[str]): K names, a line each.
        colours (Sequence): Their RGB, (K, 3).
        line (int): Height of a line, L, pixels.

    Returns:
        ndarray: RGB, uint8, (H + L K + 8, W, 3).
    """
    # Make a white strip of the picture's width
    height = line * len(names) + 8
    legend = np.full((height, picture.shape[1], 3), 255, np.uint8)
    # Draw a square and a name for each colour
    for row, (name, colour) in enumerate(zip(names, colours, strict=True)):
        top = line * row + 6
        legend[top : top + 2 * line // 3, 6 : 6 + line] = colour
        place = (line + 14, top + 13 * line // 24)
        write_text(legend, name, place, 13 * line // 24)
    return np.concatenate([picture, legend])


def _fit(picture: Image, side: int) -> Image:
    # Scale the longer side to the cell, without mixing colours
    scale = side / max(picture.shape[:2])
    height, width = (max(1, round(s * scale)) for s in picture.shape[:2])
    resized = cv2.resize(
        picture, (width, height), interpolation=cv2.INTER_NEAREST
    )
    return np.asarray(resized, np.uint8)
