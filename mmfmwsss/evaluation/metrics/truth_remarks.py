# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Remark on what a mean IoU hides: classes that the ground truth lacks."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from ...utils.labels import IGNORE_LABEL
from .areas import intersection_over_union

__all__ = ['absent_classes', 'mean_of_shown', 'truth_remarks']


def absent_classes(classes: Sequence[str], areas: NDArray[Any]) -> list[str]:
    """List the names of the labels that are in no ground truth.

    Args:
        classes (Sequence[str]): Names of the labels, 1 + C of them.
        areas (ndarray): Sum of :func:`class_areas`, (3, 1 + C).
    """
    return [
        name for name, area in zip(classes, areas[2], strict=True) if not area
    ]


def mean_of_shown(areas: NDArray[Any]) -> float:
    """Average the IoU over labels in the truth; NaN if it shows none.

    The official code leaves out a class that is predicted but never true;
    mmseg's ``IoUMetric``, and our mIoU, count it as 0.

    Args:
        areas (ndarray): Sum of :func:`class_areas`, (3, 1 + C).
    """
    shown = intersection_over_union(areas)[areas[2] > 0]
    return float(shown.mean()) if len(shown) else float('nan')


def truth_remarks(
    classes: Sequence[str],
    areas: NDArray[Any],
    ignored: int,
    ignore_index: int = IGNORE_LABEL,
) -> list[str]:
    """Write sentences for the log below a mean IoU.

    Args:
        classes (Sequence[str]): Names of the labels, 1 + C of them.
        areas (ndarray): Sum of :func:`class_areas`, (3, 1 + C).
        ignored (int): Pixels of the truth with the ignored value.
        ignore_index (int): That value.

    Returns:
        list[str]: None if the truth shows every class.
    """
    # Name the classes that no mask shows
    absent = absent_classes(classes, areas)
    if not absent:
        return []
    remarks = [
        f'{len(absent)} of {len(classes)} classes are never in the ground '
        f'truth: {", ".join(absent)}.'
    ]
    # Explain that false predictions of these count as 0
    wrong = [
        name
        for name, predicted, true in zip(classes, *areas[1:], strict=True)
        if predicted and not true
    ]
    if wrong:
        remarks.append(
            f'Of these {", ".join(wrong)} are predicted and count as IoU 0, '
            'as in mmseg; without them, as the official code counts, the mIoU '
            f'is {100 * mean_of_shown(areas):.1f}.'
        )
    # Suspect black-and-white masks, whose foreground is ignored
    if len(classes) > 1 and ignored and not areas[2, 1:].any():
        share = ignored / (ignored + int(areas[2].sum()))
        remarks.append(
            f'The ground truth is all background and {ignore_index} '
            f'({share:.0%} of the pixels), which is ignored, so this mIoU '
            'says nothing on the classes. Are these black-and-white masks of '
            f'0 and {ignore_index}? Write the number of the class in place of '
            f'{ignore_index}, 1 for {classes[1]!r}.'
        )
    return remarks
