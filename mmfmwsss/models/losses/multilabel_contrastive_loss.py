# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Multi-label contrastive loss, L_MCL (Eq. 12)."""

import logging
from typing import Literal

import torch
from mmengine.logging import print_log
from mmseg.registry import MODELS
from torch import Tensor, nn

from ...utils import UserInputError
from .class_losses import logits_and_labels

__all__ = [
    'MultiLabelContrastiveLoss',
    'contrasted_pairs',
    'multilabel_contrastive_loss',
]

Average = Literal['image', 'pair']


def contrasted_pairs(labels: Tensor) -> Tensor:
    """Find the pairs of image and present class that L_MCL learns from.

    Args:
        labels (Tensor): Multi-hot image-level labels, bool, (N, C).

    Returns:
        Tensor: bool, (N, C). An image without a present or without an absent
        class has none.

    Example:
        >>> labels = torch.tensor([[True, False], [True, True]])
        >>> contrasted_pairs(labels).tolist()
        [[True, False], [False, False]]
    """
    return labels & (~labels).any(dim=1, keepdim=True)


def multilabel_contrastive_loss(
    logits: Tensor, labels: Tensor, average: Average = 'image'
) -> Tensor:
    """Pull an image to its present classes, push it from the absent ones.

    Implements Eq. 12 of `FMA-WSSS <https://arxiv.org/abs/2312.03585>`_: a
    present class competes with the absent classes, never with another
    present one.

    Args:
        logits (Tensor): Foreground similarities over the temperature, (N, C).
        labels (Tensor): Multi-hot image-level labels, (N, C); bool, or 0 and
            1 of another type. Both may be arrays of numpy.
        average (str): ``'image'`` averages over the classes of an image, then
            over the images that have a pair (Eq. 12); ``'pair'`` over all
            pairs of the batch (official code).

    Returns:
        Tensor: A float32 scalar; 0 if there is no pair.

    Raises:
        UserInputError: If the shapes differ, or labels are not 0 or 1.

    Example:
        >>> logits = torch.zeros(1, 3)  # class 0 against class 2, 1 to 1
        >>> labels = torch.tensor([[True, True, False]])
        >>> multilabel_contrastive_loss(logits, labels)
        tensor(0.6931)
    """
    logits, labels = logits_and_labels(logits, labels)
    logits = logits.float()  # logits of CLIP reach 100: too much for fp16
    pairs = contrasted_pairs(labels)
    # Sum the absent classes of each image, then set each pair against it
    absent = logits.masked_fill(pairs, float('-inf'))
    absent = absent.logsumexp(dim=1, keepdim=True)  # (N, 1)
    losses = torch.logaddexp(logits, absent) - logits
    losses = losses.masked_fill(~pairs, 0)
    # Average over the pairs
    if average == 'pair':
        return losses.sum() / pairs.sum().clamp(min=1)
    # Average within each image, then over the images (Eq. 12)
    counts = pairs.sum(dim=1)
    per_image = losses.sum(dim=1) / counts.clamp(min=1)
    return per_image.sum() / (counts > 0).sum().clamp(min=1)


_EMPTY_BATCHES = 20  # without a pair, before it is said


@MODELS.register_module()
class MultiLabelContrastiveLoss(nn.Module):
    """Apply L_MCL of FMA-WSSS; see :func:`multilabel_contrastive_loss`.

    Images with all classes, or none, teach it nothing. With one class in the
    data set every image is one of these, so that it is refused;
    :class:`MultiLabelBCELoss` learns from presence and absence.

    Args:
        average (str): ``'image'`` (Eq. 12) or ``'pair'`` (official code); see
            :func:`multilabel_contrastive_loss`.
        loss_weight (float): Factor of the loss.
        loss_name (str): Key of the loss in the log.
    """

    def __init__(
        self,
        average: Average = 'image',
        loss_weight: float = 1.0,
        loss_name: str = 'loss_mcl',
    ) -> None:
        super().__init__()
        if average not in ('image', 'pair'):
            raise ValueError(
                f"Expected `average` to be 'image' or 'pair', but got "
                f'{average!r}.'
            )
        self.average: Average = average
        self.loss_weight = loss_weight
        self.loss_name = loss_name
        self._empty_in_a_row = 0

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Weigh the loss of a batch, a scalar; 0 if no image has a pair.

        Raises:
            UserInputError: If there is one class only.
        """
        logits, labels = logits_and_labels(logits, labels)
        if logits.shape[1] == 1:
            raise UserInputError(
                f'{self.loss_name} expected two classes or more, for it sets '
                'the classes of an image against those it has not, but got '
                '1: it is 0 always, and nothing is learnt. Set the loss to '
                "dict(type='MultiLabelBCELoss') and give images without the "
                'class too, or add a class to `classes`.'
            )
        loss = multilabel_contrastive_loss(logits, labels, self.average)
        self._tell_empty(bool(contrasted_pairs(labels).any()))
        return self.loss_weight * loss

    def _tell_empty(self, has_pairs: bool) -> None:
        """Warn once when batch after batch has nothing to contrast."""
        self._empty_in_a_row = 0 if has_pairs else self._empty_in_a_row + 1
        if self._empty_in_a_row == _EMPTY_BATCHES:
            print_log(
                f'{self.loss_name} was 0 for {_EMPTY_BATCHES} batches in a '
                'row: every image had all of the classes, or none. It needs '
                'images that lack some; MultiLabelBCELoss does not.',
                'current',
                logging.WARNING,
            )
