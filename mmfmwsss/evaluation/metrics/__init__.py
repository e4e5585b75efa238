# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Metrics of seeds and segmentors, and the report on SAM masks."""

from .areas import class_areas, intersection_over_union
from .mask_report import SAMMaskReport
from .seed_metric import SeedMetric

__all__ = [
    'SAMMaskReport',
    'SeedMetric',
    'class_areas',
    'intersection_over_union',
]
