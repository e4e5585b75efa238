# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The frozen CLIP and its prompts."""

from .class_logits import class_logits
from .frozen_clip import FrozenCLIP, ImageFeatures
from .last_block import LastBlock
from .loading import build_clip
from .manual_prompts import ManualPrompts, encode_names
from .photo_clip import PHOTO_CLIP, build_photo_clip, photo_clip_names
from .prompt_layout import prompt_layout
from .prompt_learner import LearnablePrompts
from .prompt_stream import PromptStream
from .trunk_cache import TrunkCache
from .weight_files import CLIPWeights, read_clip_state

__all__ = [
    'PHOTO_CLIP',
    'CLIPWeights',
    'FrozenCLIP',
    'ImageFeatures',
    'LastBlock',
    'LearnablePrompts',
    'ManualPrompts',
    'PromptStream',
    'TrunkCache',
    'build_clip',
    'build_photo_clip',
    'class_logits',
    'encode_names',
    'photo_clip_names',
    'prompt_layout',
    'read_clip_state',
]
