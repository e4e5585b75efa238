# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Class activation maps and their refinement by attention."""

from .caa import CAA, box_mask, sinkhorn_affinity
from .softmax_gradcam import (
    needed_prompts,
    present_softmax,
    score_gradient,
    softmax_gradcam,
)
from .upsampling import upsample_cams

__all__ = [
    'CAA',
    'box_mask',
    'needed_prompts',
    'present_softmax',
    'score_gradient',
    'sinkhorn_affinity',
    'softmax_gradcam',
    'upsample_cams',
]
