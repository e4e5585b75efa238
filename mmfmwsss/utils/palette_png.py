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
from .picture_files import (
    is_complete_image,
    open_picture,
    read_picture_bytes,
)

__all__ = [
    'read_label_png',
    'read_label_png_made_of',
    'voc_palette',
    'write_palette_png',
]

_MADE_OF, _CONTENT = 'mmfmwsss-made-of', 'mmfmwsss-content'

_MOST = 255
_LOSSLESS = ('PNG', 'BMP', 'GIF', 'TIFF')
_LABEL_MODES = ('P', 'L', '1', 'I', 'I;16', 'I;16B', 'I;16L')


def voc_palette(count: int = 256) -> list[tuple[int, int, int]]:
    """Make the colours of PASCAL VOC's label maps from the index's bits.

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
    # Refuse what eight bits cannot hold.
    labels = np.asarray(label_map)
    if labels.ndim != 2 or labels.size == 0:
        raise ValueError(f'label_map must be (H, W), got {labels.shape}')
    if labels.min() < 0 or labels.max() > 255:
        raise ValueError(
            'label_map must hold indices in 0..255, got '
            f'{labels.min()}..{labels.max()}'
        )
    # Put the given colours over PASCAL VOC's.
    colours = voc_palette()
    given = [(int(r), int(g), int(b)) for r, g, b in palette or ()]
    colours[: len(given)] = given
    picture = Image.fromarray(np.ascontiguousarray(labels, dtype=np.uint8))
    picture.putpalette([value for colour in colours[:256] for value in colour])
    # Note of what it was made, and what it holds.
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
    # Read the map and its notes; a damaged one counts as missing.
    try:
        labels = read_label_png(path)
        with Image.open(path) as picture:
            notes = dict(picture.info)
    except (UserInputError, OSError, ValueError):
        return None
    # Keep it if it is of the same settings and not edited.
    current = notes.get(_MADE_OF) == made_of
    intact = notes.get(_CONTENT) == digest_of_array(labels)
    return labels if current and intact else None


def read_label_png(path: str | os.PathLike[str]) -> np.ndarray:
    """Read a label map: a palette PNG or a grey one, indices untouched.

    Grey ones may have any number of bits, as long as the indices fit in 8.

    Args:
        path (str | PathLike): A PNG of one channel.

    Returns:
        np.ndarray: Class indices, uint8, (H, W).

    Raises:
        UserInputError: If the file is missing, damaged or too large, has
            colours or indices above 255, or is of a format that blurs them.
    """
    try:
        # Read indices of lossless formats with one channel.
        data = read_picture_bytes(path)
        if not is_complete_image(data):
            raise UserInputError(f'its {len(data)} bytes are cut off')
        with open_picture(data, path) as picture:
            kind, mode = picture.format or '', picture.mode
            if kind in _LOSSLESS and mode in _LABEL_MODES:
                return _as_indices(np.array(picture), data, path)
    except UserInputError as error:
        raise UserInputError(
            f'Expected a PNG label map at {path}, but it cannot be read: '
            f'{error}'
        ) from error
    # Say why other pictures are no label maps.
    if kind not in _LOSSLESS:
        raise UserInputError(
            f'Expected a PNG label map at {path}, but it is a {kind}, which '
            'blurs class indices. Make it again as PNG.'
        )
    raise UserInputError(
        f'Expected a label map of one 8-bit channel at {path}, got a '
        f'picture of mode {mode!r}. Convert its colours to class indices.'
    )


def _as_indices(
    labels: np.ndarray, data: bytes, path: str | os.PathLike[str]
) -> np.ndarray:
    """Give indices as they were written, in eight bits."""
    # Refuse indices that eight bits do not hold.
    if labels.max() > _MOST or labels.min() < 0:
        raise UserInputError(
            f'class indices go from {labels.min()} to {labels.max()}, and '
            f'only 0..{_MOST} are read. Is it a label map? Number the classes '
            'from 1, with 0 for the background and 255 for ignore.'
        )
    labels = labels.astype(np.uint8)
    # Undo what Pillow does to grey maps of two or four bits.
    bits, colour = data[24], data[25]  # of a PNG
    if data.startswith(b'\x89PNG') and colour == 0 and bits in (2, 4):
        labels //= _MOST // (2**bits - 1)  # Pillow spreads them to 0..255
    return labels
