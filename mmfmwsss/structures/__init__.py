# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Masks of an image, as they travel between the steps of the pipeline."""

from .mask_records import (
    MissingLevelsError,
    as_sam_masks,
    masks_from_records,
)
from .sam_masks import LEVEL_NAMES, PART, SUBPART, WHOLE, SAMMasks
from .sam_masks_file import MaskFileSummary, summarize_mask_file

__all__ = [
    'LEVEL_NAMES',
    'PART',
    'SUBPART',
    'WHOLE',
    'MaskFileSummary',
    'MissingLevelsError',
    'SAMMasks',
    'as_sam_masks',
    'masks_from_records',
    'summarize_mask_file',
]
