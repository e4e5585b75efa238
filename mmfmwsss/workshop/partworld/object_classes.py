# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Gather the classes of PartWorld and the backgrounds they stand on."""

from ...structures.class_tables import CLASS_PROMPTS
from .animals import ANIMALS
from .buildings import BUILDINGS
from .plants import PLANTS
from .shapes import HSV
from .vehicles import VEHICLES

__all__ = ['BACKGROUNDS', 'CLASSES', 'PALETTE']

# Upper band, lower band: (colour, texture) each.
_Band = tuple[HSV, str]
_BACKGROUNDS: dict[str, tuple[_Band, _Band]] = {
    'sea': (((0.55, 0.35, 0.92), 'cloud'), ((0.57, 0.7, 0.6), 'wave')),
    'meadow': (((0.56, 0.4, 0.95), 'cloud'), ((0.27, 0.6, 0.65), 'blade')),
    'street': (((0.04, 0.45, 0.6), 'brick'), ((0.65, 0.06, 0.42), 'speckle')),
    'desert': (((0.12, 0.2, 0.95), 'plain'), ((0.11, 0.5, 0.85), 'wave')),
    'room': (((0.13, 0.2, 0.85), 'stripe'), ((0.08, 0.5, 0.6), 'board')),
    'snow': (((0.6, 0.12, 0.75), 'cloud'), ((0.58, 0.05, 0.95), 'speckle')),
    'forest': (((0.36, 0.55, 0.3), 'blob'), ((0.08, 0.45, 0.35), 'speckle')),
    'night': (((0.66, 0.6, 0.2), 'star'), ((0.6, 0.3, 0.25), 'blade')),
}

# The asset gives their order, that of label values and of random draws.
_DRAWN = {
    drawn.name: drawn for drawn in (*ANIMALS, *BUILDINGS, *PLANTS, *VEHICLES)
}
_NAMES = CLASS_PROMPTS['partworld']
CLASSES = tuple(_DRAWN[name] for name in _NAMES.classes)
BACKGROUNDS = {name: _BACKGROUNDS[name] for name in _NAMES.background}
PALETTE = [list(colour) for colour in _NAMES.palette]
