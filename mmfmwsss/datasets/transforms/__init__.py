# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Data transforms: load, resize and crop with masks, pack."""

from .colour import RandomColourJitter
from .formatting import PackWSSSInputs, pack_failure
from .geometry import (
    RandomCropWithMasks,
    RandomLongSideResize,
    ResizeToPatchMultiple,
)
from .loading import LoadImageStrict, LoadSAMMasks, is_complete_image
from .randomness import ReproducibleAugmentation, set_all_seeds
from .resizing import resize_bicubic, resize_nearest
from .seeds import ImageLabelsFromSeed, LoadSeed

__all__ = [
    'ImageLabelsFromSeed',
    'LoadImageStrict',
    'LoadSAMMasks',
    'LoadSeed',
    'PackWSSSInputs',
    'RandomColourJitter',
    'RandomCropWithMasks',
    'RandomLongSideResize',
    'ReproducibleAugmentation',
    'ResizeToPatchMultiple',
    'is_complete_image',
    'pack_failure',
    'resize_bicubic',
    'resize_nearest',
    'set_all_seeds',
]
