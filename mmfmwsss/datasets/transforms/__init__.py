# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Data transforms: load, resize and crop with masks, pack."""

from .formatting import PackWSSSInputs, pack_failure
from .geometry import (
    RandomCropWithMasks,
    RandomLongSideResize,
    ResizeToPatchMultiple,
)
from .loading import LoadImageStrict, LoadSAMMasks, is_complete_image
from .resizing import resize_bicubic, resize_nearest

__all__ = [
    'LoadImageStrict',
    'LoadSAMMasks',
    'PackWSSSInputs',
    'RandomCropWithMasks',
    'RandomLongSideResize',
    'ResizeToPatchMultiple',
    'is_complete_image',
    'pack_failure',
    'resize_bicubic',
    'resize_nearest',
]
