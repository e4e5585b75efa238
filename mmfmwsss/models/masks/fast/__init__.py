# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""SAM's network for everything mode: the same numbers in less time."""

from .decoder import FastDecoder
from .encoder import encode_image
from .upscaling import Frame, box_bounds, mask_boxes, upscale

__all__ = [
    'FastDecoder',
    'Frame',
    'box_bounds',
    'encode_image',
    'mask_boxes',
    'upscale',
]
