# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Freed memory is kept where libc is glibc, and only there."""

import ctypes
import platform
import subprocess
import sys

import pytest

from mmfmwsss.utils.allocator import keep_freed_memory

FAULTS = """
import resource, sys
import numpy as np
from mmfmwsss.utils.allocator import keep_freed_memory
if sys.argv[1] == 'kept':
    assert keep_freed_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(6_000_000)  # 46 MiB, more than glibc would ever keep
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_other_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr(platform, 'libc_ver', lambda: ('', ''))
    monkeypatch.setattr(ctypes, 'CDLL', None)  # would fail if it were called
    assert keep_freed_memory() is False


@pytest.mark.parametrize(
    'name', ['MALLOC_TRIM_THRESHOLD_', 'MALLOC_MMAP_THRESHOLD_']
)
def test_settings_of_the_user_stay(monkeypatch, name):
    monkeypatch.setenv(name, '65536')
    monkeypatch.setattr(ctypes, 'CDLL', None)
    assert keep_freed_memory() is False


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='needs glibc')
def test_pages_are_cleared_once():
    faults = [
        int(
            subprocess.run(
                [sys.executable, '-c', FAULTS, way],
                check=True,
                capture_output=True,
                text=True,
            ).stdout.splitlines()[-1]
        )
        for way in ('handed back', 'kept')
    ]
    assert faults[1] < faults[0] / 5
