# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Losses that train the prompts."""

from .cam_activation_loss import CAMActivationLoss, cam_activation_loss
from .cam_cross_entropy_loss import (
    CAMCrossEntropyLoss,
    cam_cross_entropy_loss,
)
from .multilabel_bce_loss import MultiLabelBCELoss, multilabel_bce_loss
from .multilabel_contrastive_loss import (
    MultiLabelContrastiveLoss,
    contrasted_pairs,
    multilabel_contrastive_loss,
)

__all__ = [
    'CAMActivationLoss',
    'CAMCrossEntropyLoss',
    'MultiLabelBCELoss',
    'MultiLabelContrastiveLoss',
    'cam_activation_loss',
    'cam_cross_entropy_loss',
    'contrasted_pairs',
    'multilabel_bce_loss',
    'multilabel_contrastive_loss',
]
