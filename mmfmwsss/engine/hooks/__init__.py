# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Hooks."""

from .checkpoint_fit_hook import CheckpointFitHook
from .finite_training_hook import FiniteTrainingHook
from .progress_bar_hook import ProgressBarHook
from .prompt_file_hook import PromptFileHook
from .reproducible_iteration_hook import ReproducibleIterationHook
from .safe_checkpoint_hook import SafeCheckpointHook
from .seed_visualization_hook import SeedVisualizationHook
from .trunk_cache_hook import TrunkCacheHook

__all__ = [
    'CheckpointFitHook',
    'FiniteTrainingHook',
    'ProgressBarHook',
    'PromptFileHook',
    'ReproducibleIterationHook',
    'SafeCheckpointHook',
    'SeedVisualizationHook',
    'TrunkCacheHook',
]
