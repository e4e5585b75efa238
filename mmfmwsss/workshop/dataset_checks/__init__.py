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
from .images import ImageCheck, ImageFiles, check_image
from .known_layouts import sources_of_config, sources_of_layout
from .several_lists import check_lists, merge_images
from .sources import Source, collect_images

__all__ = [
    'KINDS',
    'Finding',
    'ImageCheck',
    'ImageFiles',
    'Kind',
    'Source',
    'check_image',
    'check_lists',
    'check_mask_values',
    'class_counts',
    'collect_images',
    'findings_table',
    'list_findings',
    'merge_images',
    'sources_of_config',
    'sources_of_layout',
    'stops_a_run',
]
