# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The tables and figures of the paper: their rows, runs, results, pages."""

from .paper_tables import PAPER_TABLES
from .results import read_notes, read_result
from .stages import TABLE_DATASETS, TableDataset, TableStages

__all__ = [
    'PAPER_TABLES',
    'TABLE_DATASETS',
    'TableDataset',
    'TableStages',
    'read_notes',
    'read_result',
]
