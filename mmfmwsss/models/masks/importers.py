# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Masks made elsewhere: segment_anything's records, JSON files and folders."""

import csv
import io
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...structures import SUBPART, WHOLE, SAMMasks
from ...structures.rle import decode_rles, decode_runs
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
]

_MASK_MODES = ('1', 'L', 'P', 'RGB', 'I', 'I;16')


class MissingLevelsError(UserInputError):
    """Masks have no levels where none is given for them."""


def masks_from_records(
    records: Sequence[Mapping[str, Any]],
    level: int | None = WHOLE,
    size: tuple[int, int] | None = None,
) -> SAMMasks:
    """Read what ``SamAutomaticMaskGenerator.generate`` returns.

    Args:
        records (Sequence[Mapping]): One a mask, with ``segmentation`` in any
            of its three forms: a binary mask (H, W), uncompressed or
            compressed COCO RLE. ``predicted_iou``, ``stability_score`` and
            ``level`` are read, and ``area`` is checked, where given.
        level (int | None): Level of a mask without one, for segment_anything
            does not record it; None refuses such masks. Default: 2, whole.
        size (tuple[int, int] | None): Image height and width. Needed when
            there are no masks, and otherwise checked where given.

    Returns:
        SAMMasks: The masks in the order of the records.

    Raises:
        MissingLevelsError: If a record has no level and ``level`` is None.
        UserInputError: If a record has no readable mask or scores, the masks
            differ in size or are not of ``size``, or there are none and
            ``size`` is not given.
    """
    if not records:
        if size is None:
            raise UserInputError(
                'There are no masks, so their size is unknown: give `size`, '
                'the (H, W) of the image.'
            )
        return SAMMasks.empty(size)
    # Decode the masks, which must all be of the image's size.
    masks = list(_decode_all(records))
    sizes = sorted({mask.shape for mask in masks})
    if len(sizes) > 1 or (size is not None and sizes[0] != tuple(size)):
        expected = 'one size' if size is None else f'the image, {size}'
        raise UserInputError(
            f'The {len(masks)} masks of one image must be of {expected}, got '
            f'(height, width) {sizes}. Export them at the size of the image.'
        )
    # Read what the records tell of their quality and level.
    scores = [
        _scores(record, index, level) for index, record in enumerate(records)
    ]
    levels, predicted_iou, stability_score = zip(*scores, strict=True)
    return SAMMasks(
        masks=torch.from_numpy(np.stack(masks)),
        levels=torch.tensor(levels),
        predicted_iou=torch.tensor(predicted_iou),
        stability_score=torch.tensor(stability_score),
    )


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


def _decode_all(
    records: Sequence[Mapping[str, Any]],
) -> Iterator[NDArray[np.bool_]]:
    """Decode the records' masks; the first tells the room that all take."""
    for index, record in enumerate(records):
        mask = _decode(record, index)
        if index == 0:
            size = (mask.shape[0], mask.shape[1])
            check_mask_room(len(records), size, 'the records')
        yield mask


def _decode(record: Mapping[str, Any], index: int) -> NDArray[np.bool_]:
    """Decode the mask of a record, (H, W)."""
    try:
        mask = _decode_segmentation(record['segmentation'])
        area = int(np.count_nonzero(mask))
        # Run lengths that were cut off decode without an error.
        if float(record.get('area', area)) != area:
            raise ValueError(f'`area` {record["area"]}, but {area} pixels')
        return mask
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UserInputError(
            f'Mask {index} has no readable `segmentation` '
            f'({type(error).__name__}: {error}); expected a binary mask '
            '(H, W) or COCO RLE with `size` and `counts`, of `area` pixels.'
        ) from error


def _decode_segmentation(segmentation: Any) -> NDArray[np.bool_]:
    # Decode run lengths, as a list or as compressed text.
    if isinstance(segmentation, Mapping):
        counts = segmentation['counts']
        height, width = segmentation['size']
        size = checked_size(height, width, '`size`')
        if isinstance(counts, list):
            return decode_runs(counts, size)
        return decode_rles([counts], size)[0]
    # Take an array of numbers as it is.
    mask = np.asarray(segmentation)
    if mask.ndim != 2 or mask.dtype.kind not in 'biuf':
        raise ValueError(f'a mask of shape {mask.shape} of {mask.dtype}')
    checked_size(mask.shape[0], mask.shape[1], '`segmentation`')
    return mask.astype(np.bool_)


def _scores(
    record: Mapping[str, Any], index: int, level: int | None
) -> tuple[int, float, float]:
    """Read level, predicted IoU and stability of a record."""
    given = record.get('level', level)
    if given is None and 'level' not in record:
        raise MissingLevelsError(
            f'Expected a `level` of mask {index} (0 sub-part, 1 part, 2 '
            'whole), got none.'
        )
    try:
        found = (
            int(given),
            float(record.get('predicted_iou', 1)),
            float(record.get('stability_score', 1)),
        )
        # Refuse levels between two levels, infinity and NaN.
        if float(given) != found[0]:
            raise ValueError(f'level {given}')
        if not all(math.isfinite(number) for number in found):
            raise ValueError(f'{found} are not all finite')
    except (TypeError, ValueError, OverflowError) as error:
        raise UserInputError(
            f'Mask {index} has no readable scores ({error}); expected numbers '
            'in `predicted_iou`, `stability_score` and `level`.'
        ) from error
    if not SUBPART <= found[0] <= WHOLE:
        raise UserInputError(
            f'Mask {index} has level {found[0]}; expected 0 (sub-part), 1 '
            '(part) or 2 (whole).'
        )
    return found
