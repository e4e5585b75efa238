# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pictures of masks, maps and seeds."""

from .error_kinds import ERROR_COLOURS, ERROR_NAMES, error_kinds
from .label_pictures import paint_named_labels
from .label_visualizer import NamedLabelVisualizer
from .painting import (
    label_borders,
    overlay_cam,
    paint_errors,
    paint_labels,
    paint_masks,
)
from .sheet import picture_sheet

__all__ = [
    'ERROR_COLOURS',
    'ERROR_NAMES',
    'NamedLabelVisualizer',
    'error_kinds',
    'label_borders',
    'overlay_cam',
    'paint_errors',
    'paint_labels',
    'paint_masks',
    'paint_named_labels',
    'picture_sheet',
]
