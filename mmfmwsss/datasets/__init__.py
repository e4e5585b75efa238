# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Data sets with image-level labels, with seeds, and their transforms."""

from ..structures.class_prompts import ClassPrompts
from ..structures.class_tables import CLASS_PROMPTS, get_class_prompts
from . import transforms
from .ground_truth_dataset import GroundTruthDataset
from .image_label_dataset import ImageLabelDataset
from .image_labels import (
    labels_to_array,
    read_image_labels,
    read_voc_xml,
)
from .image_lists import read_image_list
from .pseudo_label_dataset import PseudoLabelDataset
from .samplers import ReproducibleSampler
from .standard_datasets import (
    COCO14ImageLabelDataset,
    COCO14SegDataset,
    PartWorldImageLabelDataset,
    PartWorldSegDataset,
    VOC12ImageLabelDataset,
    VOC12SegDataset,
)

__all__ = [
    'CLASS_PROMPTS',
    'COCO14ImageLabelDataset',
    'COCO14SegDataset',
    'ClassPrompts',
    'GroundTruthDataset',
    'ImageLabelDataset',
    'PartWorldImageLabelDataset',
    'PartWorldSegDataset',
    'PseudoLabelDataset',
    'ReproducibleSampler',
    'VOC12ImageLabelDataset',
    'VOC12SegDataset',
    'get_class_prompts',
    'labels_to_array',
    'read_image_labels',
    'read_image_list',
    'read_voc_xml',
    'transforms',
]
