# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Ways to run the package."""

from .command_line import (
    add_common_arguments,
    load_config,
    run_reporting_user_errors,
    write_metrics,
)

__all__ = [
    'add_common_arguments',
    'load_config',
    'run_reporting_user_errors',
    'write_metrics',
]
