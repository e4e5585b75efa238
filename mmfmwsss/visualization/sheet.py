# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pictures of every stage side by side."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ['picture_sheet', 'with_legend']

Image = NDArray[np.uint8]  # RGB, (H, W, 3)

_BLACK = (0, 0, 0)


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
    # Make a white sheet of the size of the table
    margin, head = 6, 24
    height = head + len(rows) * (cell + head)
    sheet = np.full((height, margin + len(titles) * (cell + margin), 3), 255)
    sheet = sheet.astype(np.uint8)
    # Write the headings
    for column, title in enumerate(titles):
        _write(sheet, title, margin + column * (cell + margin), head - 8)
    # Fill the rows, each with its name below
    for r, (row, name) in enumerate(zip(rows, names, strict=True)):
        if len(row) != len(titles):
            raise ValueError(
                f'Expected {len(titles)} pictures in row {r}, one for each '
                f'title, but got {len(row)}.'
            )
        top = head + r * (cell + head)
        # Fit the pictures into their cells
        for column, picture in enumerate(row):
            left = margin + column * (cell + margin)
            fitted = _fit(picture, cell)
            h, w = fitted.shape[:2]
            sheet[top : top + h, left : left + w] = fitted
        _write(sheet, name, margin, top + cell + 14)
    return sheet


def with_legend(
    picture: Image,
    names: Sequence[str],
    colours: Sequence[Sequence[int]],
) -> Image:
    """Put the names of colours below a picture.

    Args:
        picture (ndarray): RGB, uint8, (H, W, 3).
        names (Sequence[str]): K names, a line each.
        colours (Sequence): Their RGB, (K, 3).

    Returns:
        ndarray: RGB, uint8, (H + 24 K + 8, W, 3).
    """
    # Make a white strip of the picture's width
    height = 24 * len(names) + 8
    legend = np.full((height, picture.shape[1], 3), 255, np.uint8)
    # Draw a square and a name for each colour
    for row, (name, colour) in enumerate(zip(names, colours, strict=True)):
        top = 24 * row
        legend[top + 6 : top + 22, 6:30] = colour
        _write(legend, name, 38, top + 19)
    return np.concatenate([picture, legend])


def _fit(picture: Image, side: int) -> Image:
    # Scale the longer side to the cell, without mixing colours
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
