# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Check a data set before hours are spent on it."""

from .findings import KINDS, Finding, Kind, findings_table, stops_a_run
from .pictures import Picture, PictureCheck, check_picture
from .sources import Source, check_lists, collect, join
from .where import sources_of_config, sources_of_layout

__all__ = [
    'KINDS',
    'Finding',
    'Kind',
    'Picture',
    'PictureCheck',
    'Source',
    'check_lists',
    'check_picture',
    'collect',
    'findings_table',
    'join',
    'sources_of_config',
    'sources_of_layout',
    'stops_a_run',
]
