# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The file of one image's masks: JSON with compressed COCO run lengths.

Schema (version 1), UTF-8 JSON, one object::

    {
      "format": "mmfmwsss-sam-masks",
      "version": 1,
      "size": [H, W],              image size in pixels
      "settings": "9f0c...",       hash of the settings that made the masks
      "source": "41d2...",         hash of what they were made of, if known
      "digest": "b7a9...",         hash of all the rest, if written
      "masks": [
        {
          "counts": "Xab4...",     compressed COCO RLE, column by column
          "area": 812,             pixels of the mask, checked when read
          "level": 2,              0 sub-part, 1 part, 2 whole
          "predicted_iou": 0.97,   the model's own estimate
          "stability_score": 0.98
        },
        ...
      ]
    }

``{"size": size, "counts": counts}`` is what ``pycocotools.mask`` reads.
``docs/mask_files.md`` has an example.
"""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..utils import UserInputError, atomic_path, digest_of, resolve_path
from ..utils.limits import MAX_MASK_FILE_BYTES, check_mask_room, checked_size
from ..utils.text_files import read_json
from .rle import decode_rles, encode_rles

__all__ = [
    'MaskFileContent',
    'MaskFileSummary',
    'read_mask_file',
    'summarize_mask_file',
    'write_mask_file',
]

FORMAT = 'mmfmwsss-sam-masks'
VERSION = 1
REMEDY = (
    'Make it with `python tools/test.py CONFIG` of a *_sam_masks.py config '
    '(it redoes missing and damaged files only).'
)


@dataclass
class MaskFileContent:
    """The content of a mask file.

    Attributes:
        masks (ndarray): bool, (S, H, W).
        levels (list[int]): 0 sub-part, 1 part, 2 whole.
        predicted_iou (list[float]): One a mask.
        stability_score (list[float]): One a mask.
        source (str): Hash of what they were made of; empty: not known.
    """

    masks: NDArray[np.bool_]
    levels: list[int]
    predicted_iou: list[float]
    stability_score: list[float]
    source: str = ''


@dataclass(frozen=True)
class MaskFileSummary:
    """Description that a mask file gives of itself.

    Attributes:
        size (tuple[int, int]): Image height and width in pixels.
        settings (str): Hash of the settings that made the masks.
        source (str): Hash of what they were made of; empty: not known.
        is_intact (bool): Whether all is as it was written.
        level_counts (list[int]): Number of sub-part, part and whole masks.
    """

    size: tuple[int, int]
    settings: str
    source: str
    is_intact: bool
    level_counts: list[int]


def write_mask_file(
    path: str | os.PathLike[str],
    masks_of_file: MaskFileContent,
    settings: str = '',
) -> None:
    """Write the masks of one image; a reader never sees half a file."""
    # Encode each mask beside its area and scores.
    areas = _areas(masks_of_file.masks)
    entries = [
        dict(
            counts=counts,
            area=area,
            level=level,
            predicted_iou=_short(iou),
            stability_score=_short(stability),
        )
        for counts, area, level, iou, stability in zip(
            encode_rles(masks_of_file.masks),
            areas,
            masks_of_file.levels,
            masks_of_file.predicted_iou,
            masks_of_file.stability_score,
            strict=True,
        )
    ]
    # Add the size, and hashes of settings, source and content.
    content: dict[str, Any] = dict(
        format=FORMAT,
        version=VERSION,
        size=list(masks_of_file.masks.shape[1:]),
        settings=settings,
        source=masks_of_file.source,
        masks=entries,
    )
    content['digest'] = digest_of(content)
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content), encoding='utf-8')


def read_mask_file(path: str | os.PathLike[str]) -> MaskFileContent:
    """Read the masks of one image.

    Raises:
        UserInputError: If the file is missing, damaged or of another format.
    """
    file = resolve_path(path, REMEDY)
    content = _read_content(file)
    try:
        # Check sizes and scores before masks take memory.
        size, levels = _size_and_levels(content, file)
        entries = content['masks']
        scores = {
            name: [_finite(entry[name], name) for entry in entries]
            for name in ('predicted_iou', 'stability_score')
        }
        # Decode the masks, whose areas must be as written.
        masks = decode_rles([e['counts'] for e in entries], size)
        areas = _areas(masks)
        if areas != [e['area'] for e in entries]:
            raise ValueError('a mask does not have the area it was saved with')
        return MaskFileContent(
            masks=masks,
            levels=levels,
            source=str(content.get('source', '')),
            **scores,
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise _damaged(file, error) from error


def summarize_mask_file(path: str | os.PathLike[str]) -> MaskFileSummary:
    """Read what a mask file says about itself, without decoding the masks.

    Raises:
        UserInputError: If the file is missing, damaged or of another format.
    """
    file = resolve_path(path, REMEDY)
    content = _read_content(file)
    try:
        size, levels = _size_and_levels(content, file)
        return MaskFileSummary(
            size=size,
            settings=str(content['settings']),
            source=str(content.get('source', '')),
            is_intact=content.pop('digest', None) == digest_of(content),
            level_counts=np.bincount(levels, minlength=3).tolist()
            if levels
            else [0, 0, 0],
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise _damaged(file, error) from error


def _size_and_levels(
    content: Mapping[str, Any], file: Path
) -> tuple[tuple[int, int], list[int]]:
    """Check the size of the image and the level of each mask."""
    # Believe the size and the number of masks only within limits.
    height, width = content['size']
    size = checked_size(height, width, file)
    entries = content['masks']
    if not isinstance(entries, list):
        raise TypeError('`masks` is no list')
    check_mask_room(len(entries), size, file)
    # Take no level but sub-part, part and whole.
    levels = [entry['level'] for entry in entries]
    for level in levels:
        if type(level) is not int or not 0 <= level <= 2:
            raise ValueError(f'a level of {level!r:.40}, not 0, 1 or 2')
    return size, levels


def _finite(value: object, name: str) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f'`{name}` is {value!r:.40}, no number')
    return float(value)


def _areas(masks: NDArray[np.bool_]) -> list[int]:
    """Count the pixels of each mask (eight times as fast as with `axis`)."""
    return [int(np.count_nonzero(mask)) for mask in masks]


def _read_content(file: Path) -> dict[str, Any]:
    try:
        content = read_json(file, MAX_MASK_FILE_BYTES)
    except UserInputError as error:
        raise _damaged(file, error) from error
    # See that the file is one of masks, in the format of this release.
    found = content.get('format') if isinstance(content, dict) else None
    if found != FORMAT:
        raise UserInputError(
            f'Expected a mask file (format "{FORMAT}") at {file}, found '
            f'{"format " + repr(found) if found else "another JSON file"}. '
            f'tools/import_masks.py reads masks of other tools. {REMEDY}'
        )
    if content.get('version') != VERSION:
        raise UserInputError(
            f'{file} has version {content.get("version")} of the mask '
            f'format; this release reads version {VERSION}. Upgrade mmfmwsss '
            'or delete the file and make the masks again.'
        )
    return content


def _damaged(file: Path, error: Exception) -> UserInputError:
    what = f'{type(error).__name__}: {error}'
    if isinstance(error, UserInputError):
        what = str(error)
    return UserInputError(
        f'The mask file {file} is damaged ({what}). Delete it. {REMEDY}'
    )


def _short(value: float) -> float:
    """Round to nine digits: half the space, and no two float32 become one."""
    return float(f'{value:.9g}')
