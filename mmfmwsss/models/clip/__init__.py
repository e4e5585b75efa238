# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The frozen CLIP and its prompts."""

from .class_logits import class_logits
from .frozen_clip import FrozenCLIP, ImageFeatures
from .last_block import LastBlock
from .loading import build_clip
from .manual_prompts import ManualPrompts
from .prompt_learner import LearnablePrompts, prompt_layout
from .prompt_stream import PromptStream
from .trunk_cache import TrunkCache
from .weight_files import CLIPWeights, read_clip_state

__all__ = [
    'CLIPWeights',
    'FrozenCLIP',
    'ImageFeatures',
    'LastBlock',
    'LearnablePrompts',
    'ManualPrompts',
    'PromptStream',
    'TrunkCache',
    'build_clip',
    'class_logits',
    'prompt_layout',
    'read_clip_state',
]
