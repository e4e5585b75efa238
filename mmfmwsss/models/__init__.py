# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Models: CLIP with prompts, CAMs, losses, masks, seeding, segmentors."""

from . import cams, clip, losses, masks, seeding, segmentors

__all__ = [
    'cams',
    'clip',
    'losses',
    'masks',
    'seeding',
    'segmentors',
]
