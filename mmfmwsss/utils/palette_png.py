# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Label maps on disk: palette PNG of 8 bits, class index, 255 = ignore."""

import os
from collections.abc import Sequence

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from .digests import digest_of_array
from .errors import UserInputError
from .files import atomic_path

__all__ = [
    'read_label_png',
    'read_label_png_made_of',
    'voc_palette',
    'write_palette_png',
]

_MADE_OF, _CONTENT = 'mmfmwsss-made-of', 'mmfmwsss-content'


def voc_palette(count: int = 256) -> list[tuple[int, int, int]]:
    """Colours of PASCAL VOC's label maps: the bits of the index, spread.

    Args:
        count (int): Number of colours, at most 256.

    Returns:
        list: RGB in 0..255; index 0 is black, 255 is (224, 224, 192).
    """
    colours = []
    for index in range(count):
        colour = [0, 0, 0]
        # bit 3k + c of the index is bit 7 - k of channel c
        for bit in range(8):
            colour[bit % 3] |= (index >> bit & 1) << (7 - bit // 3)
        colours.append((colour[0], colour[1], colour[2]))
    return colours


def write_palette_png(
    path: str | os.PathLike[str],
    label_map: np.ndarray,
    palette: Sequence[Sequence[int]] | None = None,
    made_of: str = '',
) -> None:
    """Write a label map as a palette PNG; a reader never sees half of it.

    Args:
        path (str | PathLike): File to write; its folder is made.
        label_map (np.ndarray): Class indices in 0..255, (H, W).
        palette (Sequence, optional): RGB in 0..255 of each index, at most
            256 of them. The colours of PASCAL VOC by default, and for every
            index that is not given.
        made_of (str): Hash of what decided the map, kept in the file for
            :func:`read_label_png_made_of`.

    Raises:
        ValueError: If the map is not (H, W), or an index is not in 0..255.
    """
    labels = np.asarray(label_map)
    if labels.ndim != 2 or labels.size == 0:
        raise ValueError(f'label_map must be (H, W), got {labels.shape}')
    if labels.min() < 0 or labels.max() > 255:
        raise ValueError(
            'label_map must hold indices in 0..255, got '
            f'{labels.min()}..{labels.max()}'
        )
    colours = voc_palette()
    given = [(int(r), int(g), int(b)) for r, g, b in palette or ()]
    colours[: len(given)] = given
    picture = Image.fromarray(np.ascontiguousarray(labels, dtype=np.uint8))
    picture.putpalette([value for colour in colours[:256] for value in colour])
    notes = PngInfo()
    if made_of:
        notes.add_text(_MADE_OF, made_of)
        notes.add_text(_CONTENT, digest_of_array(np.asarray(picture)))
    with atomic_path(path) as temporary:
        picture.save(temporary, format='PNG', pnginfo=notes)


def read_label_png_made_of(
    path: str | os.PathLike[str], made_of: str
) -> np.ndarray | None:
    """Read a label map if it need not be made again.

    Args:
        path (str | PathLike): From :func:`write_palette_png`, or missing.
        made_of (str): Hash of what decides the map now.

    Returns:
        np.ndarray | None: Class indices, uint8, (H, W); None if the file is
        missing, damaged, edited or made of something else.
    """
    if not made_of or not os.path.isfile(path):
        return None
    try:
        labels = read_label_png(path)
        with Image.open(path) as picture:
            notes = dict(picture.info)
    except (UserInputError, OSError, ValueError):
        return None
    current = notes.get(_MADE_OF) == made_of
    intact = notes.get(_CONTENT) == digest_of_array(labels)
    return labels if current and intact else None


def read_label_png(path: str | os.PathLike[str]) -> np.ndarray:
    """Read a label map: a palette PNG or a grey one, indices untouched.

    Args:
        path (str | PathLike): A PNG of one channel.

    Returns:
        np.ndarray: Class indices, uint8, (H, W).

    Raises:
        UserInputError: If the file is missing, is damaged or has colours.
    """
    try:
        with Image.open(path) as picture:
            mode = picture.mode
            labels = np.array(picture)
    except FileNotFoundError as error:
        raise UserInputError(
            f'Expected a label map at {path}, but it is not there.'
        ) from error
    except (OSError, SyntaxError) as error:
        raise UserInputError(
            f'Expected a PNG label map at {path}, but it cannot be read '
            f'({error}). Delete the file and make it again.'
        ) from error
    if mode not in ('P', 'L', '1'):
        raise UserInputError(
            f'Expected a label map of one 8-bit channel at {path}, got a '
            f'picture of mode {mode!r}. Convert its colours to class indices.'
        )
    return labels.astype(np.uint8)
