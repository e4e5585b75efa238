# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Time several ways to one result by turns: wall, CPU, memory."""

import contextlib
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import torch

__all__ = [
    'Timing',
    'as_table',
    'format_seconds',
    'peak_megabytes',
    'reset_peak',
    'take_turns',
    'threads',
]


class Timing(NamedTuple):
    """Hold the times of one way, seconds, and its memory.

    Attributes:
        wall (float): Median of the wall time.
        fastest (float): Shortest wall time.
        slowest (float): Longest wall time.
        cpu (float): Median of the CPU time of all threads, the system's
            included.
        system (float): Median of the system's share of it.
        peak_mb (float): Largest resident memory of the process, MiB.
        repeats (int): Runs that were timed.
    """

    wall: float
    fastest: float
    slowest: float
    cpu: float
    system: float
    peak_mb: float
    repeats: int

    @classmethod
    def of(
        cls, runs: list[tuple[float, float, float]], peak_mb: float
    ) -> 'Timing':
        """Sum up runs of (wall, CPU, system) seconds."""
        wall, cpu, system = zip(*runs, strict=True)
        return cls(
            wall=statistics.median(wall),
            fastest=min(wall),
            slowest=max(wall),
            cpu=statistics.median(cpu),
            system=statistics.median(system),
            peak_mb=peak_mb,
            repeats=len(runs),
        )


def take_turns(
    ways: Mapping[str, Callable[[], Any]], repeats: int, warm_up: int = 1
) -> dict[str, Timing]:
    """Run ways A B A B ..., so that a busy moment hits all alike.

    Args:
        ways (Mapping[str, Callable]): Functions without arguments, by name.
        repeats (int): Runs of each that are timed.
        warm_up (int): Runs of each before, which are not.

    Returns:
        dict[str, Timing]: By name.

    Example:
        >>> times = take_turns(dict(a=lambda: 1, b=lambda: 2), repeats=3)
        >>> list(times), times['a'].repeats
        (['a', 'b'], 3)
    """
    runs: dict[str, list[tuple[float, float, float]]] = {n: [] for n in ways}
    peaks = dict.fromkeys(ways, 0.0)
    for turn in range(warm_up + repeats):
        for name, way in ways.items():
            reset_peak()
            before = _clocks()
            way()
            after = _clocks()
            peaks[name] = max(peaks[name], peak_megabytes())
            # Leave the warm-up out of the times
            if turn >= warm_up:
                wall, cpu, system = (
                    b - a for a, b in zip(before, after, strict=True)
                )
                runs[name].append((wall, cpu, system))
    return {name: Timing.of(runs[name], peaks[name]) for name in ways}


def _clocks() -> tuple[float, float, float]:
    """Read wall, CPU and system time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime
    return time.perf_counter(), cpu, used.ru_stime


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch and OpenCV use so many threads."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(count)
    cv2.setNumThreads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def reset_peak() -> None:
    """Start anew to look for the peak of the memory; on Linux only."""
    with contextlib.suppress(OSError):
        Path('/proc/self/clear_refs').write_text('5')


def peak_megabytes() -> float:
    """Read the peak of the resident memory since the reset, MiB."""
    # Ask Linux for the peak since the reset, else for that of the run
    try:
        status = Path('/proc/self/status').read_text()
        return int(status.split('VmHWM:')[1].split()[0]) / 2**10
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def format_seconds(seconds: float) -> str:
    """Write a time with three digits and its unit.

    Example:
        >>> format_seconds(0.00462), format_seconds(12.3456)
        ('4.62 ms', '12.3 s')
    """
    if seconds < 1:
        return f'{1000 * seconds:.3g} ms'
    return f'{seconds:.3g} s' if seconds < 1000 else f'{seconds:.0f} s'


def as_table(head: list[str], rows: list[list[str]]) -> str:
    """Write a table in markdown.

    Example:
        >>> print(as_table(['a', 'b'], [['1', '2']]))
        | a | b |
        | --- | --- |
        | 1 | 2 |
    """
    lines = [head, ['---'] * len(head), *rows]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)
