# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The frozen CLIP and its prompts."""

from .frozen_clip import FrozenCLIP, ImageFeatures
from .loading import build_clip, read_clip_state
from .prompt_learner import LearnablePrompts, ManualPrompts, prompt_layout

__all__ = [
    'FrozenCLIP',
    'ImageFeatures',
    'LearnablePrompts',
    'ManualPrompts',
    'build_clip',
    'prompt_layout',
    'read_clip_state',
]
