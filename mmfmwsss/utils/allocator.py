# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Memory of large tensors stays with the process that freed it."""

import ctypes
import os
import platform

__all__ = ['keep_freed_memory']

# Parameters of glibc's mallopt, and the bytes from which it asks the system
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_VARIABLES = ('MALLOC_TRIM_THRESHOLD_', 'MALLOC_MMAP_THRESHOLD_')
_LARGEST = 1 << 30


def keep_freed_memory() -> bool:
    """Let glibc keep the memory of freed tensors for the next ones.

    By default it hands every block of some MiB back to the system, which
    clears each page anew for the next tensor of that size. Does nothing
    without glibc, or where the user has set ``MALLOC_TRIM_THRESHOLD_`` or
    ``MALLOC_MMAP_THRESHOLD_``.

    Returns:
        bool: True if both thresholds were set.
    """
    if platform.libc_ver()[0] != 'glibc':
        return False
    if any(name in os.environ for name in _VARIABLES):
        return False
    mallopt = ctypes.CDLL(None).mallopt
    settings = (_TRIM_THRESHOLD, _MMAP_THRESHOLD)
    return all(mallopt(setting, _LARGEST) == 1 for setting in settings)
