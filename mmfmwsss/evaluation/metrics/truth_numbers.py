# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Masks that number other classes than the labels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...utils import UserInputError
from ...utils.labels import IGNORE_LABEL

__all__ = ['renumber_truth']


def renumber_truth(
    truth: NDArray[np.uint8],
    numbers: Sequence[int],
    ignore_index: int = IGNORE_LABEL,
) -> NDArray[np.uint8]:
    """Give the classes of a mask the numbers that they have as labels.

    Args:
        truth (ndarray): Mask with the numbers of another list, (H, W).
        numbers (Sequence[int]): Number there of each label 0..C, e.g.
            ``[0, 8, 12]`` where label 1 is number 8 and label 2 number 12.
        ignore_index (int): Number that stays as it is.

    Returns:
        ndarray: Labels in 0..C and ``ignore_index``, uint8, (H, W).

    Raises:
        UserInputError: If the mask has another number.
    """
    found = set(np.unique(truth).tolist())
    if other := sorted(found - {*numbers, ignore_index}):
        raise UserInputError(
            f'Expected the numbers {list(numbers)} or {ignore_index}, but '
            f'the mask has {other}. Take the image out of the list, or give '
            'the class a label.'
        )
    table = np.arange(256, dtype=np.uint8)
    table[list(numbers)] = np.arange(len(numbers))
    table[ignore_index] = ignore_index
    return np.asarray(table[truth])
