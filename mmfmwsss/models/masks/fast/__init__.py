# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""SAM's network for everything mode: the same numbers in less time."""

from .decoder import DecodedPoints, prepare_fast, prepare_plain
from .encoder import encode_image
from .upscaling import Frame, box_bounds, mask_boxes, upscale

__all__ = [
    'DecodedPoints',
    'Frame',
    'box_bounds',
    'encode_image',
    'mask_boxes',
    'prepare_fast',
    'prepare_plain',
    'upscale',
]
