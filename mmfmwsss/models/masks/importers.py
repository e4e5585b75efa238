# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Masks made elsewhere: JSON files and folders of segment_anything."""

import csv
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...structures import WHOLE, SAMMasks
from ...structures.mask_records import (
    MissingLevelsError,
    masks_from_records,
)
from ...structures.sam_masks_file import FORMAT
from ...utils import UserInputError, resolve_path
from ...utils.limits import MAX_MASK_FILE_BYTES, check_mask_room, checked_size
from ...utils.picture_files import (
    is_complete_image,
    open_picture,
    read_picture_bytes,
)
from ...utils.text_files import read_json, read_text

__all__ = [
    'MissingLevelsError',
    'masks_from_folder',
    'masks_from_json',
    'masks_from_records',
    'read_masks',
]

_MASK_MODES = ('1', 'L', 'P', 'RGB', 'I', 'I;16')


def read_masks(
    path: str | os.PathLike[str], size: tuple[int, int] | None = None
) -> SAMMasks:
    """Read the masks of one image from any file that this package knows.

    Args:
        path (str | PathLike): A mask file of this package; a JSON file or the
            folder that segment_anything's command line writes, whose masks
            are whole ones.
        size (tuple[int, int] | None): Image height and width. Needed where a
            list of segment_anything is empty.

    Returns:
        SAMMasks: S masks.

    Raises:
        UserInputError: If it is missing, or none of these.
    """
    if os.path.isdir(path):
        return masks_from_folder(path, size=size)
    # Tell our own files by their format, which their first key names.
    file = resolve_path(path, 'Give the mask file of one image.')
    with open(file, 'rb') as stream:
        is_ours = FORMAT.encode() in stream.read(100)
    return SAMMasks.load(file) if is_ours else masks_from_json(file, size=size)


def masks_from_json(
    path: str | os.PathLike[str],
    level: int | None = WHOLE,
    size: tuple[int, int] | None = None,
) -> SAMMasks:
    """Read a JSON file of masks.

    Either the list that segment_anything's command line writes with
    ``--convert-to-rle``, or a file of SA-1B (``image`` and ``annotations``).
    The arguments are those of ``masks_from_records``.

    Raises:
        UserInputError: If the file is missing or is neither.
    """
    file = resolve_path(path, 'Give the JSON file of one image.')
    try:
        content = read_json(file, MAX_MASK_FILE_BYTES)
        # Unwrap a file of SA-1B, which knows the image's size.
        if isinstance(content, dict):
            image = content.get('image', {})
            if 'height' in image and 'width' in image:
                size = checked_size(image['height'], image['width'], file)
            content = content['annotations']
        if not isinstance(content, list):
            raise TypeError(f'found a {type(content).__name__}')
        return masks_from_records(content, level, size)
    except MissingLevelsError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise UserInputError(
            f'Expected a list of mask records, or the `annotations` of SA-1B,'
            f' in {file} ({type(error).__name__}: {error}). Write it with '
            "segment_anything's scripts/amg.py --convert-to-rle."
        ) from error


def masks_from_folder(
    path: str | os.PathLike[str],
    level: int | None = WHOLE,
    size: tuple[int, int] | None = None,
) -> SAMMasks:
    """Read the folder that segment_anything's command line writes.

    It holds ``metadata.csv`` and a black-and-white ``ID.png`` a mask. The
    arguments are those of ``masks_from_records``.

    Raises:
        UserInputError: If the table or a picture is missing or damaged.
    """
    folder = Path(path)
    remedy = "Write the folder with segment_anything's scripts/amg.py."
    table = resolve_path(folder / 'metadata.csv', remedy)
    rows = _table_rows(table, remedy)
    # Make a record of each row and its picture.
    records: list[dict[str, Any]] = []
    for row in rows:
        file = resolve_path(folder / f'{row["id"]}.png', remedy)
        scores = {
            name: row[name]
            for name in ('area', 'predicted_iou', 'stability_score', 'level')
            if row.get(name)
        }
        mask = _mask_of_picture(file, len(rows), remedy)
        records.append(dict(segmentation=mask, **scores))
    # See that no picture lacks its row.
    pictures = sum(1 for _ in folder.glob('*.png'))
    if pictures != len(rows):
        raise UserInputError(
            f'{table} lists {len(rows)} masks, but the folder has '
            f'{pictures} pictures of masks. {remedy}'
        )
    return masks_from_records(records, level, size)


def _table_rows(table: Path, remedy: str) -> list[dict[str, str]]:
    """Read a table with different names of files in its column `id`."""
    try:
        text = io.StringIO(read_text(table), newline='')
        rows: list[dict[str, str]] = list(csv.DictReader(text))
    except csv.Error as error:
        raise UserInputError(
            f'{table} cannot be read ({error}). {remedy}'
        ) from error
    # Take no name that leads out of the folder or stands twice.
    names = [row.get('id') or '' for row in rows]
    if not all(names):
        raise UserInputError(f'{table} has no column `id`. {remedy}')
    strange = [n for n in names if Path(n).name != n or names.count(n) > 1]
    if strange:
        raise UserInputError(
            f'Expected different names of files as `id` in {table}, but got '
            f'{strange[0]!r:.60}. {remedy}'
        )
    return rows


def _mask_of_picture(file: Path, count: int, remedy: str) -> NDArray[np.bool_]:
    """Read a black-and-white image as one of ``count`` masks, (H, W)."""
    try:
        # Refuse a broken picture before it is decoded.
        data = read_picture_bytes(file)
        if not is_complete_image(data):
            raise UserInputError('it is cut off or no picture')
        with open_picture(data, file) as picture:
            # See that all masks fit into memory, from the size of this one.
            check_mask_room(count, (picture.height, picture.width), file)
            if picture.mode not in _MASK_MODES or 'A' in picture.getbands():
                raise UserInputError(f'it has mode {picture.mode}')
            # Take every pixel that is not black.
            if picture.mode in ('P', 'RGB'):
                return np.array(picture.convert('L')) > 0
            return np.array(picture) > 0
    except UserInputError as error:
        raise UserInputError(
            f'{file} cannot be read: {error} {remedy}'
        ) from error
