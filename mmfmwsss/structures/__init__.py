# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What travels between the boxes of the pipeline: the masks of an image."""

from .sam_masks import LEVEL_NAMES, PART, SUBPART, WHOLE, SAMMasks
from .sam_masks_file import MaskFileSummary, summarize_mask_file

__all__ = [
    'LEVEL_NAMES',
    'PART',
    'SUBPART',
    'WHOLE',
    'MaskFileSummary',
    'SAMMasks',
    'summarize_mask_file',
]
