# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Masks as run lengths of COCO, by pycocotools."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from ..utils.limits import check_mask_room, checked_size

__all__ = ['decode_rles', 'decode_runs', 'encode_rles', 'read_runs']

_BITS = 5  # of a number in each character
_MORE = 32  # there are more characters of this number
_SIGN = 16
_MOST_CHARACTERS = 7  # of one number: 35 bits
_MOST_BYTES = 2**27  # of one mask: sums stay below 2**63


def encode_rles(masks: NDArray[np.bool_]) -> list[str]:
    """Encode masks (S, H, W) as compressed COCO run lengths.

    Example:
        >>> encode_rles(~np.eye(2, dtype=bool)[None])
        ['121']
    """
    _, height, width = masks.shape
    # COCO runs down the columns; cv2.transpose is four times numpy's copy.
    columns = np.empty((width, height), np.uint8)
    counts = []
    # One at a time: a copy of all masks of a large photo takes gigabytes.
    for mask in masks:
        cv2.transpose(np.ascontiguousarray(mask).view(np.uint8), columns)
        (rle,) = coco_mask.encode(columns.T[..., None])
        counts.append(rle['counts'].decode('ascii'))
    return counts


def decode_rles(
    counts: Sequence[str], size: tuple[int, int]
) -> NDArray[np.bool_]:
    """Decode compressed COCO run lengths to masks (S, H, W).

    pycocotools sees only what ``read_runs`` has passed, for it writes where
    the runs say.

    Raises:
        ValueError: If the runs are damaged, or do not fill the image.
        UserInputError: If the masks are larger than memory is taken for.
    """
    height, width = checked_size(*size, 'the run lengths')
    check_mask_room(len(counts), (height, width), 'the run lengths')
    # Check all runs before memory is taken.
    for text in counts:
        read_runs(text, (height, width))
    masks = np.empty((len(counts), height, width), np.uint8)
    for text, mask in zip(counts, masks, strict=True):
        # One at a time, the columns are still in the cache when they are
        # turned: twice as fast as decoding all at once.
        rle = {'size': [height, width], 'counts': text}
        cv2.transpose(coco_mask.decode(rle).T, mask)
    return masks.view(np.bool_)


def read_runs(text: str | bytes, size: tuple[int, int]) -> NDArray[np.int64]:
    """Read compressed COCO run lengths, and check that they fill an image.

    A number is written in characters of five bits, the lowest first, with the
    sign in the last; from the fourth number on it is the difference to the
    number two before.

    Args:
        text (str | bytes): The run lengths.
        size (tuple[int, int]): Height and width of the mask.

    Returns:
        NDArray[np.int64]: Pixels outside, inside, outside..., column by
        column.

    Raises:
        ValueError: If the text is damaged, or the runs do not fill the image.

    Example:
        >>> read_runs('121', (2, 2))
        array([1, 2, 1])
    """
    # Refuse what cannot be run lengths.
    if not isinstance(text, str | bytes):
        raise ValueError(f'Invalid RLE: a {type(text).__name__}, no text')
    if len(text) > _MOST_BYTES:
        raise ValueError(f'Invalid RLE: {len(text)} characters of one mask')
    raw = text.encode('ascii') if isinstance(text, str) else text
    codes = np.frombuffer(raw, np.uint8).astype(np.int64) - 48
    if not len(codes):
        raise ValueError('Invalid RLE: run lengths are empty')
    if codes.min() < 0 or codes.max() > 63:
        raise ValueError('Invalid RLE: characters that mean nothing')
    # Find where each number begins and ends.
    ends = np.flatnonzero(codes & _MORE == 0)
    if not len(ends) or ends[-1] != len(codes) - 1:
        raise ValueError('Invalid RLE: the last run is cut off')
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > _MOST_CHARACTERS:
        raise ValueError('Invalid RLE: a run is too long')
    # Join the five bits of each character, then apply the sign.
    places = np.arange(len(codes)) - np.repeat(starts, lengths)
    numbers = np.add.reduceat((codes & 31) << (_BITS * places), starts)
    negative = codes[ends] & _SIGN != 0
    numbers[negative] -= np.int64(1) << (_BITS * lengths[negative])
    # Undo the differences: odd ones from the second, even ones from the third.
    runs = numbers.copy()
    runs[1::2] = np.cumsum(numbers[1::2])
    runs[2::2] = np.cumsum(numbers[2::2])
    return checked_runs(runs, size)


def checked_runs(
    runs: NDArray[np.int64], size: tuple[int, int]
) -> NDArray[np.int64]:
    """Pass run lengths that fill an image.

    Raises:
        ValueError: If one is negative, or their sum is not height x width.
    """
    if runs.min(initial=0) < 0:
        raise ValueError(f'Invalid RLE: a run length of {runs.min()}')
    total = sum(runs.tolist())  # cannot overflow
    if total != size[0] * size[1]:
        raise ValueError(
            f'Invalid RLE: the runs have {total} pixels, the image of '
            f'{size[1]} x {size[0]} has {size[0] * size[1]}'
        )
    return runs


def decode_runs(
    counts: Sequence[int], size: tuple[int, int]
) -> NDArray[np.bool_]:
    """Decode uncompressed COCO run lengths to a mask (H, W).

    Raises:
        ValueError: If they are no integers, or do not fill the image.
        UserInputError: If the size is none.

    Example:
        >>> decode_runs([1, 2, 1], (2, 2)).astype(int)
        array([[0, 1],
               [1, 0]])
    """
    height, width = checked_size(*size, 'the run lengths')
    most = height * width
    if any(type(n) is not int or not 0 <= n <= most for n in counts):
        raise ValueError(
            f'Invalid RLE: run lengths must be integers in 0..{most}'
        )
    # Fill every second run, down the columns.
    runs = checked_runs(np.array(counts, np.int64), (height, width))
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape(width, height).T
