# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Multi-label contrastive loss, L_MCL (Eq. 12)."""

import logging
from typing import Literal

import torch
from mmengine.logging import print_log
from mmseg.registry import MODELS
from torch import Tensor, nn

from ...utils import UserInputError

__all__ = ['MultiLabelContrastiveLoss', 'multilabel_contrastive_loss']


def multilabel_contrastive_loss(
    logits: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor]:
    """Pull an image to its present classes, push it from the absent ones.

    Implements Eq. 12 of `FMA-WSSS <https://arxiv.org/abs/2312.03585>`_: a
    present class competes with the absent classes, never with another
    present one.

    Args:
        logits (Tensor): Foreground similarities over the temperature, (N, C).
        labels (Tensor): Multi-hot image-level labels, bool, (N, C).

    Returns:
        tuple[Tensor, Tensor]: Loss of every pair, 0 where it is not one,
        (N, C), and whether it is a pair, bool, (N, C). An image without a
        present or without an absent class has no pair.

    Raises:
        ValueError: If the shapes differ.
    """
    if logits.shape != labels.shape:
        raise ValueError(
            f'Expected `labels` to have the shape of `logits`, '
            f'{tuple(logits.shape)}, but got {tuple(labels.shape)}.'
        )
    logits = logits.float()  # logits of CLIP reach 100: too much for fp16
    contrasted = (~labels).any(dim=1, keepdim=True)
    absent = logits.masked_fill(labels & contrasted, float('-inf'))
    absent = absent.logsumexp(dim=1, keepdim=True)  # (N, 1)
    loss = torch.logaddexp(logits, absent) - logits
    pairs = labels & contrasted
    return loss.masked_fill(~pairs, 0), pairs


_EMPTY_BATCHES = 20  # without a pair, before it is said


@MODELS.register_module()
class MultiLabelContrastiveLoss(nn.Module):
    """L_MCL of FMA-WSSS; see :func:`multilabel_contrastive_loss`.

    Images with all classes, or none, teach it nothing. With one class in the
    data set every image is one of these, so that it is refused;
    :class:`MultiLabelBCELoss` learns from presence and absence.

    Args:
        average (str): ``'image'`` averages over the classes of an image, then
            over the images that have a pair (Eq. 12); ``'pair'`` over all
            pairs of the batch (official code).
        loss_weight (float): Factor of the loss.
        loss_name (str): Key of the loss in the log.
    """

    def __init__(
        self,
        average: Literal['image', 'pair'] = 'image',
        loss_weight: float = 1.0,
        loss_name: str = 'loss_mcl',
    ) -> None:
        super().__init__()
        if average not in ('image', 'pair'):
            raise ValueError(
                f"Expected `average` to be 'image' or 'pair', but got "
                f'{average!r}.'
            )
        self.average = average
        self.loss_weight = loss_weight
        self.loss_name = loss_name
        self._empty_in_a_row = 0

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of a batch, a scalar; 0 if no image has a pair.

        Raises:
            UserInputError: If there is one class only.
        """
        if logits.shape[1] == 1:
            raise UserInputError(
                f'{self.loss_name} expected two classes or more, for it sets '
                'the classes of an image against those it has not, but got '
                '1: it is 0 always, and nothing is learnt. Set the loss to '
                "dict(type='MultiLabelBCELoss') and give images without the "
                'class too, or add a class to `classes`.'
            )
        loss, pairs = multilabel_contrastive_loss(logits, labels)
        self._tell_empty(bool(pairs.any()))
        if self.average == 'pair':
            mean = loss.sum() / pairs.sum().clamp(min=1)
        else:
            counts = pairs.sum(dim=1)
            per_image = loss.sum(dim=1) / counts.clamp(min=1)
            mean = per_image.sum() / (counts > 0).sum().clamp(min=1)
        return self.loss_weight * mean

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
