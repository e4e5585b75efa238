# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Segmentors: the prompt model, and refinement of any other."""

from .augmentation import RefinedSegTTAModel
from .clip_prompt_segmentor import CLIPPromptSegmentor
from .named_classes import NamedClassesEncoderDecoder
from .refined_segmentor import RefinedSegmentor
from .seed_route import SeedRoute

__all__ = [
    'CLIPPromptSegmentor',
    'NamedClassesEncoderDecoder',
    'RefinedSegTTAModel',
    'RefinedSegmentor',
    'SeedRoute',
]
