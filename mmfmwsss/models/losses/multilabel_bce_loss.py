# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Multi-label binary cross-entropy, L_BCE of Table 5."""

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from .class_losses import logits_and_labels

__all__ = ['MultiLabelBCELoss', 'multilabel_bce_loss']


def multilabel_bce_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Ask of each class by itself whether the image shows it.

    Args:
        logits (Tensor): Foreground logits, (N, C).
        labels (Tensor): Multi-hot image-level labels, (N, C); bool, or 0 and
            1 of another type. Both may be arrays of numpy.

    Returns:
        Tensor: Mean over all entries, a float32 scalar; 0 if there is none.

    Raises:
        UserInputError: If the shapes differ, or labels are not 0 or 1.

    Example:
        >>> logits = torch.tensor([[0.0, 0.0]])  # a probability of 1 / 2 each
        >>> multilabel_bce_loss(logits, torch.tensor([[True, False]]))
        tensor(0.6931)
    """
    logits, labels = logits_and_labels(logits, labels)
    # Answer one binary question for each image and class
    logits = logits.float()
    losses = F.binary_cross_entropy_with_logits(
        logits, labels.to(logits.dtype), reduction='none'
    )
    return losses.sum() / max(losses.numel(), 1)


@MODELS.register_module()
class MultiLabelBCELoss(nn.Module):
    """Apply the loss that Table 5 compares L_MCL with.

    The probability of a class is sigmoid(scale * Y + bias) of its logit Y,
    which is already over CLIP's temperature. The paper names the sigmoid
    only, and blames the loss for logits in its saturated range; so the
    defaults leave the logits alone. The official code has a variant with a
    learnable scale and bias, which start at 1 and -20, and divides the loss
    by the scale of the moment: ``bias=-20.0, learnable=True``, with
    ``paramwise_cfg=dict(custom_keys={'loss_module': dict(decay_mult=0)})``
    in the ``optim_wrapper``.

    The loss is the mean over all entries of the batch, so that no image needs
    a present, or an absent, class.

    Args:
        scale (float): Factor of the logits, positive; initial value if it
            learns.
        bias (float): Added to the scaled logits; likewise.
        learnable (bool): Whether scale and bias are learnt.
        loss_weight (float): Factor of the loss.
        loss_name (str): Key of the loss in the log.

    Raises:
        ValueError: If ``scale`` is not positive.
    """

    scale: Tensor
    bias: Tensor

    def __init__(
        self,
        scale: float = 1.0,
        bias: float = 0.0,
        learnable: bool = False,
        loss_weight: float = 1.0,
        loss_name: str = 'loss_bce',
    ) -> None:
        super().__init__()
        if scale <= 0:
            raise ValueError(f'Expected a positive `scale`, but got {scale}.')
        # Learn scale and bias, or leave them as they are
        values = {'scale': float(scale), 'bias': float(bias)}
        for name, value in values.items():
            if learnable:
                setattr(self, name, nn.Parameter(torch.tensor(value)))
            else:
                self.register_buffer(
                    name, torch.tensor(value), persistent=False
                )
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Weigh the loss of a batch, a scalar; 0 if it has no entry."""
        logits, labels = logits_and_labels(logits, labels)
        loss = multilabel_bce_loss(
            self.scale * logits.float() + self.bias, labels
        )
        return self.loss_weight * loss / self.scale.detach()
