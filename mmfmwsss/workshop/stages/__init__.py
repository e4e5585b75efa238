# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Run commands one after another, each once."""

from .stage import Stage
from .stage_runner import StageRecord, StageRunner

__all__ = ['Stage', 'StageRecord', 'StageRunner']
