# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The tables and figures of the paper: their rows, runs, results, pages."""

from .paper_tables import PAPER_TABLES
from .results import read_notes, read_result
from .run_limits import RunLimits
from .stages import TableStages
from .table_datasets import TABLE_DATASETS, TableDataset

__all__ = [
    'PAPER_TABLES',
    'TABLE_DATASETS',
    'RunLimits',
    'TableDataset',
    'TableStages',
    'read_notes',
    'read_result',
]
