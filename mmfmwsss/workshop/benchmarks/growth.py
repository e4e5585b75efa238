# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Commands of this project run on more and more pictures, and their growth."""

import os
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ...apis.processes import run_command
from .comparison import Missing, Unequal

__all__ = ['ROOT', 'CommandCost', 'growth', 'run_tool']

ROOT = Path(__file__).parents[3]


class CommandCost(NamedTuple):
    """Hold what a command cost.

    Attributes:
        wall (float): Seconds.
        cpu (float): Seconds of all its processes.
        peak_mb (float): Largest resident memory of one of them, MiB.
        system (float): The system's share of the CPU seconds.
    """

    wall: float
    cpu: float
    peak_mb: float
    system: float = 0.0


def run_tool(
    arguments: Sequence[str],
    folder: Path,
    variables: Mapping[str, str],
    threads: int,
    processes: int = 1,
) -> CommandCost:
    """Run a tool of this checkout to its end.

    Args:
        arguments (Sequence[str]): Path of the tool below the checkout, then
            its arguments.
        folder (Path): Where it runs.
        variables (Mapping[str, str]): Added to the environment.
        threads (int): Of each process.
        processes (int): How many, started by torchrun if more than one.

    Raises:
        Missing: If this is no checkout.
        Unequal: If the command fails.
    """
    tool = ROOT / arguments[0]
    if not tool.is_file():
        raise Missing(f'{arguments[0]}, for this is no checkout')
    # Start it alone, or as several processes
    command = [sys.executable]
    options = list(arguments[1:])
    if processes > 1:
        command += ['-m', 'torch.distributed.run', '--standalone']
        command += [f'--nproc-per-node={processes}']
        options += ['--launcher', 'pytorch']
    environment = dict(
        os.environ,
        PYTHONPATH=str(ROOT),
        OMP_NUM_THREADS=str(threads),
        **variables,
    )
    # Run it with its output in a file, and take the times
    before, start = _children_cpu(), time.perf_counter()
    with (folder / 'output.txt').open('wb') as output:
        code, peak = run_command(
            [*command, str(tool), *options], folder, environment, output
        )
    if code:
        text = (folder / 'output.txt').read_text(errors='replace')
        lines = [line for line in text.splitlines() if line.strip()]
        last = lines[-1] if lines else 'it wrote nothing'
        raise Unequal(f'{arguments[0]} ended with code {code}: {last}')
    wall = time.perf_counter() - start
    cpu, system = (b - a for a, b in zip(before, _children_cpu(), strict=True))
    return CommandCost(wall, cpu, peak, system)


def _children_cpu() -> tuple[float, float]:
    """Read the CPU time of ended children, and the system's part of it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime, used.ru_stime


def growth(
    counts: Sequence[int], costs: Sequence[float], noise: float = 0.0
) -> float:
    """Compare the cost of a picture among many with that among few.

    Args:
        counts (Sequence[int]): Three numbers of pictures, ascending.
        costs (Sequence[float]): What they cost, start-up included.
        noise (float): How much a cost may be off without growing.

    Returns:
        float: The last slope over the first; 1 where it grows linearly.

    Example:
        >>> growth([1, 2, 4], [11, 12, 14]), growth([1, 2, 4], [11, 14, 26])
        (1.0, 2.0)
    """
    few, some, many = counts[-3:]
    low, middle, high = costs[-3:]
    # Give the noise to the first slope
    first = (middle - low + noise) / (some - few)
    last = (high - middle - noise) / (many - some)
    return last / first
