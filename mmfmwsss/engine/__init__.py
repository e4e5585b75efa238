# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Parts of the runner."""

from . import hooks
from .bfloat16_optim_wrapper import Bfloat16OptimWrapper
from .dataloaders import (
    check_batches,
    settle_workers,
    warn_of_other_batch,
)
from .distributed import (
    AnyDeviceDataParallel,
    InferenceDataParallel,
    prepare_processes,
)
from .hooks import ProgressBarHook
from .skipping_test_loop import SkippingTestLoop
from .tolerant_test_loop import TolerantTestLoop, set_test_loop

__all__ = [
    'AnyDeviceDataParallel',
    'Bfloat16OptimWrapper',
    'InferenceDataParallel',
    'ProgressBarHook',
    'SkippingTestLoop',
    'TolerantTestLoop',
    'check_batches',
    'hooks',
    'prepare_processes',
    'set_test_loop',
    'settle_workers',
    'warn_of_other_batch',
]
