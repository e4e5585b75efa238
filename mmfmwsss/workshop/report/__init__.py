# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The HTML report: sections (``sections.py``) to one page (``page.py``)."""

from .page import picture_uri, render_page, write_page
from .run_folder import find_runs
from .run_sections import run_sections
from .sections import (
    Cell,
    Chart,
    Curve,
    ImageCard,
    ImageSheet,
    LearningCurves,
    LegendEntry,
    Picture,
    Prose,
    Section,
    Table,
)

__all__ = [
    'Cell',
    'Chart',
    'Curve',
    'ImageCard',
    'ImageSheet',
    'LearningCurves',
    'LegendEntry',
    'Picture',
    'Prose',
    'Section',
    'Table',
    'find_runs',
    'picture_uri',
    'render_page',
    'run_sections',
    'write_page',
]
