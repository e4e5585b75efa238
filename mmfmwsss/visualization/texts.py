# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Words on pictures, in letters of most alphabets."""

from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

__all__ = ['text_width', 'write_text']

_FONT = 'fonts/ttf/DejaVuSans.ttf'  # comes with matplotlib, as mmengine does
_BLACK = (0, 0, 0)


def text_width(text: str, size: int) -> int:
    """Measure a text in pixels.

    Args:
        text (str): On one line.
        size (int): Height of the font, pixels.
    """
    return round(_font(size).getlength(text))


def write_text(
    picture: NDArray[np.uint8],
    text: str,
    place: tuple[int, int],
    size: int = 13,
    colour: tuple[int, int, int] = _BLACK,
    rim: tuple[int, int, int] | None = None,
) -> None:
    """Write a text on a picture, in place.

    Args:
        picture (ndarray): RGB, uint8, (H, W, 3).
        text (str): On one line; what lies outside of the picture is cut.
        place (tuple[int, int]): x of the left end and y of the base line.
        size (int): Height of the font, pixels.
        colour (tuple): RGB of the letters.
        rim (tuple, optional): RGB of a rim around them, which keeps them
            readable on any ground.
    """
    canvas = Image.fromarray(picture)
    ImageDraw.Draw(canvas).text(
        place,
        text,
        fill=colour,
        font=_font(size),
        anchor='ls',
        stroke_width=0 if rim is None else max(1, size // 8),
        stroke_fill=rim,
    )
    picture[:] = np.asarray(canvas)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    path = Path(matplotlib.get_data_path()) / _FONT
    return ImageFont.truetype(path, size)
