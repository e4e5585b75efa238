# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Areas of labels, and the IoU that is made of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...utils.labels import IGNORE_LABEL

__all__ = ['class_areas', 'class_scores', 'intersection_over_union']


def class_areas(
    prediction: NDArray[Any],
    truth: NDArray[Any],
    num_labels: int,
    ignore_index: int = IGNORE_LABEL,
) -> NDArray[np.int64]:
    """Count the pixels that an IoU is made of, in whole numbers.

    Args:
        prediction (ndarray): Label map, (H, W). Values of no class, such as
            255, are wrong wherever the truth is not ignored.
        truth (ndarray): Label map, (H, W).
        num_labels (int): Number of labels 1 + C, background included.
        ignore_index (int): Pixels with this truth do not count.

    Returns:
        ndarray: Rows intersection, prediction and truth, int64, (3, 1 + C).

    Raises:
        ValueError: If the shapes differ.
    """
    if prediction.shape != truth.shape:
        raise ValueError(
            f'Expected a prediction of {truth.shape} pixels, but got '
            f'{prediction.shape}.'
        )
    # Leave out the pixels without a true label
    valid = truth != ignore_index
    prediction, truth = prediction[valid], truth[valid]
    # Count intersection, prediction and truth of each label
    return np.stack(
        [
            np.bincount(labels, minlength=num_labels)[:num_labels]
            for labels in (truth[prediction == truth], prediction, truth)
        ]
    ).astype(np.int64)


def intersection_over_union(areas: NDArray[Any]) -> NDArray[np.float64]:
    """Compute the IoU of each label, NaN if neither predicted nor true.

    Args:
        areas (ndarray): Sum of :func:`class_areas` over the images,
            (3, 1 + C).

    Returns:
        ndarray: In 0..1, (1 + C,).
    """
    intersection, predicted, true = areas.astype(np.float64)
    with np.errstate(invalid='ignore'):
        return intersection / (predicted + true - intersection)


def class_scores(
    classes: Sequence[str], areas: NDArray[Any]
) -> dict[str, dict[str, float | None]]:
    """Tabulate IoU, precision and recall of each class.

    Args:
        classes (Sequence[str]): Names of the labels, 1 + C of them.
        areas (ndarray): Sum of :func:`class_areas` over the images,
            (3, 1 + C).

    Returns:
        dict: For each class its ``IoU``, ``precision`` and ``recall`` in
        percent to two places; None where there is no pixel to divide by.
    """
    with np.errstate(invalid='ignore'):
        columns = 100 * np.stack(
            [
                intersection_over_union(areas),
                areas[0] / areas[1],
                areas[0] / areas[2],
            ]
        )
    return {
        name: {
            key: None if np.isnan(value) else round(float(value), 2)
            for key, value in zip(
                ('IoU', 'precision', 'recall'), values, strict=True
            )
        }
        for name, values in zip(classes, columns.T, strict=True)
    }
