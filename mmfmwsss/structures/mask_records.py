# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Masks as others hold them: segment_anything's records, arrays."""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..utils import UserInputError
from ..utils.arrays import as_multi_hot
from ..utils.limits import check_mask_room, checked_size
from .rle import decode_rles, decode_runs
from .sam_masks import SUBPART, WHOLE, SAMMasks

__all__ = [
    'MaskInput',
    'MissingLevelsError',
    'as_sam_masks',
    'masks_from_records',
]

# Masks of one image: ours, records of segment_anything, or bare (S, H, W).
MaskInput: TypeAlias = (
    SAMMasks
    | Sequence[Mapping[str, Any] | NDArray[Any] | Tensor]
    | Tensor
    | NDArray[Any]
)


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


def as_sam_masks(
    masks: MaskInput, size: tuple[int, int] | None = None
) -> SAMMasks:
    """Take masks of one image as anything that holds them.

    Args:
        masks (MaskInput): ``SAMMasks``; the list of dicts that
            ``SamAutomaticMaskGenerator.generate`` returns, see
            :func:`masks_from_records`; or an array of 0 and 1, (S, H, W),
            or a list of S such, (H, W). Those without levels are whole masks.
        size (tuple[int, int], optional): Height and width of the image,
            which an empty list does not tell.

    Returns:
        SAMMasks: S masks.

    Raises:
        UserInputError: If they are none of these.

    Example:
        >>> left = np.array([[[1, 0], [1, 0]]])
        >>> as_sam_masks(left).level_counts()
        [0, 0, 1]
    """
    if isinstance(masks, SAMMasks):
        return masks
    # Read records of segment_anything, or single masks as records.
    if isinstance(masks, Sequence) and not isinstance(masks, str | bytes):
        records = [
            dict(segmentation=mask)
            if isinstance(mask, Tensor | np.ndarray)
            else mask
            for mask in masks
        ]
        if all(isinstance(record, Mapping) for record in records):
            return masks_from_records(records, size=size)
    # Take a stack of masks, all of them whole.
    elif isinstance(masks, Tensor | np.ndarray) and masks.ndim == 3:
        stack = as_multi_hot(masks, 'masks')
        ones = torch.ones(len(stack), device=stack.device)
        return SAMMasks(stack, ones.long() * WHOLE, ones, ones)
    remedy = ''
    if isinstance(masks, str | os.PathLike):
        remedy = ' Read the file by mmfmwsss.apis.read_masks(FILE).'
    shape = getattr(masks, 'shape', None)
    raise UserInputError(
        'Expected masks as SAMMasks, as the list of dicts of '
        'SamAutomaticMaskGenerator or as an array (S, H, W) of 0 and 1, but '
        f'got a {type(masks).__name__}'
        f'{"" if shape is None else f" of shape {tuple(shape)}"}.{remedy}'
    )


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
    # Take an array of numbers as it is, of a tensor its values.
    if isinstance(segmentation, Tensor):
        segmentation = segmentation.detach().cpu()
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
