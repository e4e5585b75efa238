# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""PartWorld: a small world drawn by code."""

from .drawing import (
    BACKGROUNDS,
    CLASSES,
    PALETTE,
    SIZES,
    DrawnScene,
    ObjectClass,
    Part,
    SubPart,
    random_object_class,
    render_assemblies,
    render_landscape,
    render_scene,
)

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
