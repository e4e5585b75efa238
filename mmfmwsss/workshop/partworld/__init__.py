# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""PartWorld: a small world drawn by code."""

from .assemblies import random_object_class, render_assemblies
from .drawing import SIZES, DrawnScene, render_landscape, render_scene
from .object_classes import BACKGROUNDS, CLASSES, PALETTE
from .shapes import ObjectClass, Part, SubPart

__all__ = [
    'BACKGROUNDS',
    'CLASSES',
    'PALETTE',
    'SIZES',
    'DrawnScene',
    'ObjectClass',
    'Part',
    'SubPart',
    'random_object_class',
    'render_assemblies',
    'render_landscape',
    'render_scene',
]
