# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Models: CLIP with prompts, CAMs, losses, masks, seeding, networks."""

from . import (
    backbones,
    cams,
    clip,
    losses,
    masks,
    seeding,
    segmentors,
)

__all__ = [
    'backbones',
    'cams',
    'clip',
    'losses',
    'masks',
    'seeding',
    'segmentors',
]
