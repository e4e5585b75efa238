# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Losses that train the prompts."""

from .cam_activation_loss import CAMActivationLoss, cam_activation_loss
from .multilabel_contrastive_loss import (
    MultiLabelContrastiveLoss,
    multilabel_contrastive_loss,
)

__all__ = [
    'CAMActivationLoss',
    'MultiLabelContrastiveLoss',
    'cam_activation_loss',
    'multilabel_contrastive_loss',
]
