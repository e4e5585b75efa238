# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Masks made elsewhere: segment_anything's records, JSON files and folders."""

import csv
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from ...structures import SUBPART, WHOLE, SAMMasks
from ...utils import UserInputError, resolve_path

__all__ = ['masks_from_folder', 'masks_from_json', 'masks_from_records']


def masks_from_records(
    records: Sequence[Mapping[str, Any]],
    level: int = WHOLE,
    size: tuple[int, int] | None = None,
) -> SAMMasks:
    """Read what ``SamAutomaticMaskGenerator.generate`` returns.

    Args:
        records (Sequence[Mapping]): One a mask, with ``segmentation`` in any
            of its three forms: a binary mask (H, W), uncompressed or
            compressed COCO RLE. ``predicted_iou``, ``stability_score`` and
            ``level`` are read, and ``area`` is checked, where given.
        level (int): Level of a mask without one, for segment_anything does
            not record it. Default: 2, whole.
        size (tuple[int, int] | None): Image height and width. Needed when
            there are no masks, and otherwise checked where given.

    Returns:
        SAMMasks: The masks in the order of the records.

    Raises:
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
    masks = [_decode(record, index) for index, record in enumerate(records)]
    sizes = sorted({mask.shape for mask in masks})
    if len(sizes) > 1 or (size is not None and sizes[0] != tuple(size)):
        expected = 'one size' if size is None else f'the image, {size}'
        raise UserInputError(
            f'The {len(masks)} masks of one image must be of {expected}, got '
            f'(height, width) {sizes}. Export them at the size of the image.'
        )
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
    level: int = WHOLE,
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
        content = json.loads(file.read_text(encoding='utf-8'))
        if isinstance(content, dict):
            image = content.get('image', {})
            if 'height' in image and 'width' in image:
                size = (int(image['height']), int(image['width']))
            content = content['annotations']
        if not isinstance(content, list):
            raise TypeError(f'found a {type(content).__name__}')
        return masks_from_records(content, level, size)
    except (KeyError, TypeError, ValueError) as error:
        raise UserInputError(
            f'Expected a list of mask records, or the `annotations` of SA-1B,'
            f' in {file} ({type(error).__name__}: {error}). Write it with '
            "segment_anything's scripts/amg.py --convert-to-rle."
        ) from error


def masks_from_folder(
    path: str | os.PathLike[str],
    level: int = WHOLE,
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
    records: list[dict[str, Any]] = []
    with table.open(newline='', encoding='utf-8') as rows:
        for row in csv.DictReader(rows):
            if not row.get('id'):
                raise UserInputError(f'{table} has no column `id`. {remedy}')
            file = resolve_path(folder / f'{row["id"]}.png', remedy)
            picture = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
            if picture is None:
                raise UserInputError(f'{file} cannot be read. {remedy}')
            scores = {
                name: row[name]
                for name in (
                    'area',
                    'predicted_iou',
                    'stability_score',
                    'level',
                )
                if row.get(name)
            }
            records.append(dict(segmentation=picture > 0, **scores))
    pictures = sum(1 for _ in folder.glob('*.png'))
    if pictures != len(records):
        raise UserInputError(
            f'{table} lists {len(records)} masks, but the folder has '
            f'{pictures} pictures of masks. {remedy}'
        )
    return masks_from_records(records, level, size)


def _decode(record: Mapping[str, Any], index: int) -> NDArray[np.bool_]:
    """The mask of a record, (H, W)."""
    try:
        segmentation = record['segmentation']
        if isinstance(segmentation, Mapping):
            rle = dict(segmentation)
            if isinstance(rle['counts'], list):
                rle = coco_mask.frPyObjects(rle, *rle['size'])
            mask = coco_mask.decode(rle).astype(np.bool_)
        else:
            mask = np.asarray(segmentation).astype(np.bool_)
        if mask.ndim != 2:
            raise ValueError(f'a mask of shape {mask.shape}')
        area = int(np.count_nonzero(mask))
        # Run lengths that were cut off decode without an error.
        if round(float(record.get('area', area))) != area:
            raise ValueError(f'`area` {record["area"]}, but {area} pixels')
        return mask
    except (KeyError, TypeError, ValueError) as error:
        raise UserInputError(
            f'Mask {index} has no readable `segmentation` '
            f'({type(error).__name__}: {error}); expected a binary mask '
            '(H, W) or COCO RLE with `size` and `counts`, of `area` pixels.'
        ) from error


def _scores(
    record: Mapping[str, Any], index: int, level: int
) -> tuple[int, float, float]:
    """Level, predicted IoU and stability of a record."""
    try:
        found = (
            int(record.get('level', level)),
            float(record.get('predicted_iou', 1)),
            float(record.get('stability_score', 1)),
        )
    except (TypeError, ValueError) as error:
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
