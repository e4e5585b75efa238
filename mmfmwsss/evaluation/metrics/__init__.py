# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Metrics of seeds and segmentors, and the report on SAM masks."""

from .areas import class_areas, class_scores, intersection_over_union
from .cam_writer import CAMWriter, write_cams
from .image_label_metric import ImageLabelMetric, average_precision
from .mask_report import SAMMaskReport
from .seed_metric import SeedMetric
from .voc_test_archive import VOCTestArchive

__all__ = [
    'CAMWriter',
    'ImageLabelMetric',
    'SAMMaskReport',
    'SeedMetric',
    'VOCTestArchive',
    'average_precision',
    'class_areas',
    'class_scores',
    'intersection_over_union',
    'write_cams',
]
