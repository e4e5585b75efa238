# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Data sets with image-level labels, with seeds, and their transforms."""

from . import transforms
from .class_prompts import CLASS_PROMPTS, ClassPrompts, get_class_prompts
from .image_label_dataset import ImageLabelDataset
from .image_labels import (
    labels_to_array,
    read_image_labels,
    read_image_list,
    read_voc_xml,
)
from .pseudo_label_dataset import PseudoLabelDataset
from .standard_datasets import (
    PartWorldImageLabelDataset,
    PartWorldSegDataset,
    VOC12ImageLabelDataset,
)

__all__ = [
    'CLASS_PROMPTS',
    'ClassPrompts',
    'ImageLabelDataset',
    'PartWorldImageLabelDataset',
    'PartWorldSegDataset',
    'PseudoLabelDataset',
    'VOC12ImageLabelDataset',
    'get_class_prompts',
    'labels_to_array',
    'read_image_labels',
    'read_image_list',
    'read_voc_xml',
    'transforms',
]
