# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeding: score maps and masks of one image to a label map.

All seeders are registered in ``TASK_UTILS`` and are interchangeable:
``SAMS`` (the paper's), ``MaskVoting``, ``DenseCRF``, ``ArgmaxSeeder``.
"""

from .argmax import ArgmaxSeeder, PixelScoreSeeder, best_label, cam_scores
from .base import BaseSeeder
from .crf import CRFKernels, DenseCRF, dense_crf_posterior
from .painting import paint, paint_order, top_rank
from .pooling import mask_sums
from .sams import (
    SAMS,
    MaskDecisions,
    background_score,
    classify_masks,
    classify_masks_by_probability,
    mask_scores,
)
from .voting import MaskVoting, vote

__all__ = [
    'SAMS',
    'ArgmaxSeeder',
    'BaseSeeder',
    'CRFKernels',
    'DenseCRF',
    'MaskDecisions',
    'MaskVoting',
    'PixelScoreSeeder',
    'background_score',
    'best_label',
    'cam_scores',
    'classify_masks',
    'classify_masks_by_probability',
    'dense_crf_posterior',
    'mask_scores',
    'mask_sums',
    'paint',
    'paint_order',
    'top_rank',
    'vote',
]
