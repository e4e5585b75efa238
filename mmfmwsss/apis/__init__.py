# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Ways to run the package."""

from .checkpoint_reader import install_checkpoint_reader
from .class_count import fill_num_classes
from .command_line import (
    add_common_arguments,
    load_config,
    write_metrics,
)
from .error_reports import explain_error, run_reporting_user_errors
from .options import OptionsAction
from .pretrained import check_pretrained
from .processes import StoppedBySignal, run_command
from .runner import add_trust_argument, build_runner

__all__ = [
    'OptionsAction',
    'StoppedBySignal',
    'add_common_arguments',
    'add_trust_argument',
    'build_runner',
    'check_pretrained',
    'explain_error',
    'fill_num_classes',
    'install_checkpoint_reader',
    'load_config',
    'run_command',
    'run_reporting_user_errors',
    'write_metrics',
]
