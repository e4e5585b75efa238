# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Describe the machine of a measurement: processor, load, versions."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import torch

__all__ = ['describe_machine']

_PACKAGES = (
    'torch',
    'numpy',
    'opencv-python',
    'open_clip_torch',
    'segment-anything',
    'grad-cam',
    'pydensecrf2',
)


def describe_machine() -> dict[str, Any]:
    """Describe processor, load, versions and commit."""
    # Ask for the processor and how busy it is
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    # List the versions of what is compared
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = 'not installed'
    # Ask git for the commit, where this is a checkout
    commit = subprocess.run(
        ['git', 'describe', '--always', '--dirty'],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return dict(
        processor=_processor(),
        cores=cores,
        load=round(load, 2),
        commit=commit or 'unknown',
        python=platform.python_version(),
        cpu_capability=torch.backends.cpu.get_cpu_capability(),
        **versions,
    )


def _processor() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(':')[1] for line in lines if 'model name' in line]
    return names[0].strip() if names else platform.machine()
