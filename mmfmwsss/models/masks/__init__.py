# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Masks of everything in an image: SAM, superpixels, and those of others."""

from .everything import generate_masks
from .everything_settings import EverythingSettings
from .importers import (
    MissingLevelsError,
    masks_from_folder,
    masks_from_json,
    masks_from_records,
    read_masks,
)
from .nesting import levels_by_nesting
from .quasi_superpixels import filter_by_occupation
from .sam_everything import SAMEverything
from .sam_mask_generator import SAMMaskGenerator
from .sam_model import build_mobile_sam, build_sam, build_small_sam
from .superpixels import FelzenszwalbSuperpixels

__all__ = [
    'EverythingSettings',
    'FelzenszwalbSuperpixels',
    'MissingLevelsError',
    'SAMEverything',
    'SAMMaskGenerator',
    'build_mobile_sam',
    'build_sam',
    'build_small_sam',
    'filter_by_occupation',
    'generate_masks',
    'levels_by_nesting',
    'masks_from_folder',
    'masks_from_json',
    'masks_from_records',
    'read_masks',
]
