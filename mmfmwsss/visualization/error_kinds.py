# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""In which way a pixel is wrong: not only whether."""

import numpy as np
from numpy.typing import NDArray

from ..utils.labels import IGNORE_LABEL

__all__ = [
    'ERROR_COLOURS',
    'ERROR_NAMES',
    'FALSE_FOREGROUND',
    'MISSED_FOREGROUND',
    'NOT_SCORED',
    'RIGHT',
    'UNDECIDED',
    'WRONG_CLASS',
    'error_kinds',
]

RIGHT, FALSE_FOREGROUND, MISSED_FOREGROUND, WRONG_CLASS, UNDECIDED = range(5)
NOT_SCORED = 255

ERROR_NAMES = {
    FALSE_FOREGROUND: 'background called a class',
    MISSED_FOREGROUND: 'class called background',
    WRONG_CLASS: 'wrong class',
    UNDECIDED: 'left undecided',
}
# RGB that colour-blind readers can tell apart (Okabe and Ito, 2008).
ERROR_COLOURS = {
    FALSE_FOREGROUND: (230, 97, 0),
    MISSED_FOREGROUND: (86, 180, 233),
    WRONG_CLASS: (240, 228, 66),
    UNDECIDED: (204, 121, 167),
}


def error_kinds(
    labels: NDArray[np.integer],
    truth: NDArray[np.integer],
    ignore_index: int = IGNORE_LABEL,
) -> NDArray[np.uint8]:
    """Tell the kinds of error apart.

    Args:
        labels (ndarray): Predicted labels, 0 background, (H, W);
            ``ignore_index`` where the seeder left it open.
        truth (ndarray): Ground truth, (H, W).
        ignore_index (int): Truth that does not count.

    Returns:
        ndarray: One of the constants of this file for each pixel, uint8,
        (H, W): ``RIGHT``, ``FALSE_FOREGROUND`` (background called a class),
        ``MISSED_FOREGROUND`` (class called background), ``WRONG_CLASS``,
        ``UNDECIDED`` or ``NOT_SCORED``.

    Raises:
        ValueError: If the shapes differ.
    """
    # Compare maps of one size only
    if labels.shape != truth.shape:
        raise ValueError(
            f'labels must be of the size of the truth, {truth.shape}, got '
            f'{labels.shape}'
        )
    # Lay the kinds over each other, the stronger ones last
    kinds = np.full(labels.shape, WRONG_CLASS, np.uint8)
    kinds[truth == 0] = FALSE_FOREGROUND
    kinds[labels == 0] = MISSED_FOREGROUND
    kinds[labels == ignore_index] = UNDECIDED
    kinds[labels == truth] = RIGHT
    kinds[truth == ignore_index] = NOT_SCORED
    return kinds
