# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Logits and labels as the losses of image-level labels take them."""

from torch import Tensor

from ...utils import UserInputError
from ...utils.arrays import ArrayLike, as_multi_hot, as_tensor

__all__ = ['logits_and_labels']


def logits_and_labels(
    logits: ArrayLike, labels: ArrayLike
) -> tuple[Tensor, Tensor]:
    """Bring logits and labels of any kind to tensors that fit together.

    Args:
        logits (ArrayLike): Of N images and C foreground classes, (N, C).
        labels (ArrayLike): Multi-hot, 0 and 1 of any type, (N, C).

    Returns:
        tuple[Tensor, Tensor]: Logits; labels, bool, on their device.

    Raises:
        UserInputError: If the shapes differ, or labels are not 0 or 1.

    Example:
        >>> _, labels = logits_and_labels([[0.5, 2.0]], [[1, 0]])
        >>> labels
        tensor([[ True, False]])
    """
    scores, present = as_tensor(logits, 'logits'), as_multi_hot(labels)
    if scores.ndim != 2 or scores.shape != present.shape:
        raise UserInputError(
            'Expected `labels` to have the shape of `logits`, (N, C), here '
            f'{tuple(scores.shape)}, but got {tuple(present.shape)}.'
        )
    return scores, present.to(scores.device)
