# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Sections to one HTML file that needs nothing else."""

import base64
import io
import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray
from PIL import Image

from ...utils import atomic_path
from .plot import plot
from .sections import Section

__all__ = ['picture_uri', 'render_page', 'write_page']

_TEMPLATES = Path(__file__).parent / 'templates'
_WEBP_QUALITY = 82


def picture_uri(picture: NDArray[np.uint8]) -> str:
    """Pack a picture into a ``data:`` address, as WebP.

    Args:
        picture (ndarray): RGB, uint8, (H, W, 3).

    Returns:
        str: Address.
    """
    # Compress the picture in memory
    buffer = io.BytesIO()
    Image.fromarray(picture).save(
        buffer, 'WEBP', quality=_WEBP_QUALITY, method=4
    )
    # Write the bytes into the address
    data = base64.b64encode(buffer.getvalue()).decode('ascii')
    return f'data:image/webp;base64,{data}'


def render_page(
    title: str, sections: Sequence[Section], facts: Sequence[str] = ()
) -> str:
    """Make a page: one file, no server, no address outside of it.

    All text is escaped. The page follows the reader's light or dark setting,
    works without a mouse, and without its script shows everything in the
    given order.

    Args:
        title (str): Heading of the page.
        sections (Sequence): See ``sections.py``.
        facts (Sequence[str]): Short lines below the heading: what was run,
            when, with what.

    Returns:
        str: HTML.
    """
    # Escape all texts, and stop at names that are missing
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    # Give the templates our helpers
    environment.globals.update(plot=plot, picture_uri=picture_uri)
    environment.filters['finite'] = _finite
    # Fill the page, with style and script inside of it
    return environment.get_template('page.html').render(
        title=title,
        facts=facts,
        sections=sections,
        style=(_TEMPLATES / 'page.css').read_text(encoding='utf-8'),
        script=(_TEMPLATES / 'page.js').read_text(encoding='utf-8'),
    )


def write_page(path: str | os.PathLike[str], html: str) -> int:
    """Write a page; a reader never sees half of it.

    Args:
        path (str | PathLike): File.
        html (str): From :func:`render_page`.

    Returns:
        int: Size in bytes.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(html, encoding='utf-8')
    return Path(path).stat().st_size


def _finite(value: float | None) -> str:
    """Write a number as an attribute; empty where there is none."""
    return '' if value is None or not math.isfinite(value) else f'{value:.6g}'
