# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Masks as run lengths of COCO, by pycocotools."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

__all__ = ['decode_rles', 'encode_rles']


def encode_rles(masks: NDArray[np.bool_]) -> list[str]:
    """Masks (S, H, W) to compressed COCO run lengths."""
    count, height, width = masks.shape
    # COCO runs down the columns; cv2.transpose is four times numpy's copy.
    columns = np.empty((count, width, height), np.uint8)
    for mask, column in zip(
        np.ascontiguousarray(masks).view(np.uint8), columns, strict=True
    ):
        cv2.transpose(mask, column)
    return [
        rle['counts'].decode('ascii')
        for rle in coco_mask.encode(columns.transpose(2, 1, 0))
    ]


def decode_rles(
    counts: Sequence[str], size: tuple[int, int]
) -> NDArray[np.bool_]:
    """Compressed COCO run lengths to masks (S, H, W).

    Raises:
        ValueError: If there are no runs, or more than the image has room
            for. Whoever knows the areas should compare them.
    """
    height, width = size
    masks = np.empty((len(counts), height, width), np.uint8)
    if '' in counts:
        raise ValueError('run lengths are empty')
    for text, mask in zip(counts, masks, strict=True):
        # One at a time, the columns are still in the cache when they are
        # turned: twice as fast as decoding all at once.
        rle = {'size': [height, width], 'counts': text}
        cv2.transpose(coco_mask.decode(rle).T, mask)
    return masks.view(np.bool_)
