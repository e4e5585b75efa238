# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Backbones of segmentation networks that mmseg does not have."""

from .efficientnet_lite2 import EfficientNetLite2

__all__ = ['EfficientNetLite2']
