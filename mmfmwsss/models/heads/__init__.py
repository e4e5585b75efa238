# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Heads of the prompt model."""

from .clip_prompt_head import CLIPPromptHead

__all__ = ['CLIPPromptHead']
