# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Check a data set before hours are spent on it."""

from .counts import check_mask_values, class_counts
from .findings import (
    KINDS,
    Finding,
    Kind,
    findings_table,
    list_findings,
    stops_a_run,
)
from .known_layouts import sources_of_config, sources_of_layout
from .pictures import Picture, PictureCheck, check_picture
from .sources import Source, check_lists, collect, join

__all__ = [
    'KINDS',
    'Finding',
    'Kind',
    'Picture',
    'PictureCheck',
    'Source',
    'check_lists',
    'check_mask_values',
    'check_picture',
    'class_counts',
    'collect',
    'findings_table',
    'join',
    'list_findings',
    'sources_of_config',
    'sources_of_layout',
    'stops_a_run',
]
