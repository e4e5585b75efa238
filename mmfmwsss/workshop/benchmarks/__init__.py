# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Benchmarks against what a user would run instead, run by ``make bench``.

A comparison is a function of :class:`Settings` that first demands equal
results, then times the ways by turns; ``suite.py`` names them all.
"""

from .comparison import Missing, Row, Settings, Unequal
from .report import report
from .suite import COMPARISONS, measure

__all__ = [
    'COMPARISONS',
    'Missing',
    'Row',
    'Settings',
    'Unequal',
    'measure',
    'report',
]
