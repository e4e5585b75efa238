# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Labels of maps that are no class: 0 is the background, 255 is ignored."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ['IGNORE_LABEL', 'renumber_labels']

IGNORE_LABEL = 255  # counts in no loss and in no score, and is not painted


def renumber_labels(
    labels: NDArray[Any],
    label_map: Mapping[int, int] | None,
    reduce_zero_label: bool = False,
) -> NDArray[np.uint8]:
    """Give labels the numbers that mmseg's ``LoadAnnotations`` gives them.

    Args:
        labels (ndarray): As a file has them, uint8, of any shape.
        label_map (Mapping, optional): New number of each label.
        reduce_zero_label (bool): First ignore label 0, and number from 1 on.

    Returns:
        ndarray: Of the same shape, uint8; 255 stays ignored.

    Example:
        >>> renumber_labels(np.array([0, 1, 2, 255]), {0: 255, 1: 0}, True)
        array([255, 255,   0, 255], dtype=uint8)
    """
    table = np.arange(256)
    # Move all labels down by one
    if reduce_zero_label:
        table -= 1
        table[[0, IGNORE_LABEL]] = IGNORE_LABEL
    # Replace the numbers that are left
    moved = table.copy()
    for old, new in (label_map or {}).items():
        moved[table == old] = new
    return np.asarray(moved.astype(np.uint8)[labels])
