# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Ways to run the package."""

from ..models.masks import read_masks
from .checkpoint_reader import install_checkpoint_reader
from .class_count import fill_num_classes
from .command_line import load_config, write_metrics
from .error_reports import explain_error, run_reporting_user_errors
from .options import read_options
from .pretrained import check_pretrained
from .processes import StoppedBySignal, run_command
from .runner import build_runner
from .seed_inferencer import SeedInferencer
from .seed_result import SeedFailure, SeedResult

__all__ = [
    'SeedFailure',
    'SeedInferencer',
    'SeedResult',
    'StoppedBySignal',
    'build_runner',
    'check_pretrained',
    'explain_error',
    'fill_num_classes',
    'install_checkpoint_reader',
    'load_config',
    'read_masks',
    'read_options',
    'run_command',
    'run_reporting_user_errors',
    'write_metrics',
]
