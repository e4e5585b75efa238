# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The comparisons by their letters, and the report on them."""

import importlib.metadata
import os
import platform
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from .class_maps import compare_class_maps
from .comparison import Missing, Row, Settings, Unequal, table_of_rows
from .everything_mode import compare_everything_modes
from .many_pictures import measure_many_pictures
from .network import compare_networks
from .pipeline import measure_pipeline
from .prompt_step import compare_prompt_steps
from .roofline import compare_with_roofline
from .seeders import compare_seeders

__all__ = ['COMPARISONS', 'Comparison', 'measure', 'report']

_PACKAGES = (
    'torch',
    'numpy',
    'opencv-python',
    'open_clip_torch',
    'segment-anything',
    'grad-cam',
    'pydensecrf2',
)


@dataclass(frozen=True)
class Comparison:
    """Name a comparison and the function that makes it.

    Attributes:
        title (str): What is compared with what.
        run (Callable): Measures, given the :class:`Settings`.
    """

    title: str
    run: Callable[[Settings], list[Row]]


COMPARISONS = {
    'a': Comparison(
        'prompt step against plain PyTorch with double backward',
        compare_prompt_steps,
    ),
    'b': Comparison(
        'CAM and affinity of an image against class by class',
        compare_class_maps,
    ),
    'c': Comparison(
        'everything mode against SamAutomaticMaskGenerator',
        compare_everything_modes,
    ),
    'd': Comparison(
        'SAMS against a loop, dense CRF against pydensecrf', compare_seeders
    ),
    'e': Comparison(
        'masks and seeds of more and more pictures', measure_pipeline
    ),
    'f': Comparison(
        'stage-2 inference with and without SAMS', compare_networks
    ),
    'g': Comparison(
        'growth with the number of pictures', measure_many_pictures
    ),
    'h': Comparison(
        "share of this machine's matrix rate", compare_with_roofline
    ),
}


def measure(letter: str, settings: Settings) -> dict[str, Any]:
    """Run one comparison; what it lacks, or what is unequal, is its result.

    Args:
        letter (str): Of ``COMPARISONS``.
        settings (Settings): How thoroughly.

    Returns:
        dict: ``title``, ``state`` (``'measured'`` or why there are no times),
        ``rows``, ``table`` in markdown, ``seconds`` and ``machine``.
    """
    comparison = COMPARISONS[letter]
    start = time.perf_counter()
    rows: list[Row] = []
    state = 'measured'
    try:
        rows = comparison.run(settings)
    except Missing as missing:
        state = f'left out: {missing}'
    except Unequal as found:
        state = f'no times, for the results are not equal: {found}'
    return dict(
        title=comparison.title,
        state=state,
        rows=[row.as_dict() for row in rows],
        table=table_of_rows(rows),
        seconds=round(time.perf_counter() - start, 1),
        machine=_machine(),
    )


def report(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the results as a page in markdown.

    Args:
        results (Mapping): What :func:`measure` returned, by letter.

    Returns:
        str: A table a comparison, and the machine.
    """
    parts = ['# Benchmarks']
    machine: Mapping[str, Any] = {}
    for letter, found in sorted(results.items()):
        machine = found.get('machine') or machine
        parts.append(f'## ({letter}) {found["title"]}')
        if found['state'] != 'measured':
            parts.append(f'{found["state"]}.')
        if found.get('table'):
            parts.append(str(found['table']))
    parts.append('## Machine')
    parts.append('\n'.join(f'- {k}: {v}' for k, v in machine.items()))
    return '\n\n'.join(parts) + '\n'


def _machine() -> dict[str, Any]:
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
