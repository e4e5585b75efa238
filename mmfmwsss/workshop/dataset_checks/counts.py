# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Count the images of each class, by their labels and by their masks."""

from collections import Counter
from collections.abc import Sequence

from ...utils.labels import IGNORE_LABEL
from .findings import Finding
from .images import ImageCheck

__all__ = ['check_mask_values', 'class_counts']


def class_counts(checks: Sequence[ImageCheck]) -> str:
    """Count the images of each class.

    Args:
        checks (Sequence[ImageCheck]): Of all images.

    Returns:
        str: A line of labels and a line of masks, as far as there are any,
        each with the classes that no image has.
    """
    # Join the classes of all data sets
    classes = list(dict.fromkeys(c for check in checks for c in check.classes))
    # Count image-level labels and what the masks show
    labelled = Counter(name for check in checks for name in check.labels)
    shown = Counter(
        check.classes[value - 1]
        for check in checks
        for value in check.mask_labels
        if 0 < value <= len(check.classes)
    )
    lines = [
        *_count_lines('labelled', classes, labelled),
        *_count_lines('in masks', classes, shown),
    ]
    return '\n'.join(lines)


def _count_lines(
    what: str, classes: Sequence[str], counts: Counter[str]
) -> list[str]:
    # Say nothing where there is nothing to count
    if not counts:
        return []
    # Name the classes with and those without an image
    found = [f'{name} {counts[name]}' for name in classes if counts[name]]
    missing = [name for name in classes if not counts[name]]
    lines = [f'images of each class, {what}: {", ".join(found)}']
    if missing:
        lines.append(f'  without an image: {", ".join(missing)}')
    return lines


def check_mask_values(checks: Sequence[ImageCheck]) -> list[Finding]:
    """Find masks that show no class: black and white ones, mostly.

    Args:
        checks (Sequence[ImageCheck]): Of all images.

    Returns:
        list[Finding]: None or one.
    """
    # Look for values between background and 255 in any mask
    masks = [check.mask_labels for check in checks if check.mask_labels]
    values = sorted({value for mask in masks for value in mask})
    if IGNORE_LABEL not in values or any(
        0 < value < IGNORE_LABEL for value in values
    ):
        return []
    what = f'{len(masks)} masks have only the values {values}'
    return [Finding('masks show no class', what)]
