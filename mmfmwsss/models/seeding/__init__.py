# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeding: score maps and masks of one image to a label map.

All seeders are registered in ``TASK_UTILS`` and are interchangeable:
``SAMS`` (the paper's), ``MaskVoting``, ``DenseCRF``, ``ArgmaxSeeder``.
"""

from ..normalise import background_score, min_max, min_max_over_image
from .argmax import ArgmaxSeeder, argmax_seed, cam_scores
from .base import BaseSeeder
from .crf import CRFKernels, DenseCRF, dense_crf_posterior
from .mask_decisions import (
    MaskDecisions,
    classify_masks,
    classify_masks_by_probability,
    mask_scores,
)
from .pooling import mask_sums, top_mask
from .sams import SAMS, paint, paint_order
from .voting import MaskVoting, vote

__all__ = [
    'SAMS',
    'ArgmaxSeeder',
    'BaseSeeder',
    'CRFKernels',
    'DenseCRF',
    'MaskDecisions',
    'MaskVoting',
    'argmax_seed',
    'background_score',
    'cam_scores',
    'classify_masks',
    'classify_masks_by_probability',
    'dense_crf_posterior',
    'mask_scores',
    'mask_sums',
    'min_max',
    'min_max_over_image',
    'paint',
    'paint_order',
    'top_mask',
    'vote',
]
