# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A comparison: equal results first, then times, one row a case."""

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor

from .timing import Timing, as_table, format_seconds, take_turns, threads

__all__ = [
    'Missing',
    'Row',
    'Settings',
    'Unequal',
    'check',
    'is_installed',
    'relative_difference',
    'rows_of_threads',
    'table_of_rows',
]


class Unequal(Exception):  # noqa: N818  it is a finding
    """Two ways have different results, so that no times are given."""


class Missing(Exception):  # noqa: N818  it is no fault
    """A package or file that a comparison needs is not there."""


@dataclass(frozen=True)
class Settings:
    """Say how thoroughly to measure.

    Attributes:
        quick (bool): Small cases and few runs, to see that all works.
        threads (tuple[int, ...]): Numbers of threads to measure with.
        shared (str): Folder with weights and photos, if there is one.
        images (tuple[int, ...]): Numbers of images of the growth checks;
            empty for their own.
    """

    quick: bool = False
    threads: tuple[int, ...] = (1,)
    shared: str = ''
    images: tuple[int, ...] = ()


@dataclass
class Row:
    """Hold one case of a comparison.

    Attributes:
        case (str): What was run.
        equality (str): How equal the results were found.
        threads (int): Of torch and OpenCV.
        times (dict[str, Timing]): By way; the first is ours.
        notes (dict): Other figures, by name.
    """

    case: str
    equality: str
    threads: int
    times: dict[str, Timing] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    def ratios(self) -> dict[str, float]:
        """Divide the wall times of the other ways by ours."""
        (_, ours), *others = self.times.items()
        return {name: time.wall / ours.wall for name, time in others}

    def as_dict(self) -> dict[str, Any]:
        """Turn into what JSON holds."""
        times = {name: time._asdict() for name, time in self.times.items()}
        ratios = self.ratios() if self.times else {}
        return asdict(self) | dict(times=times, ratios=ratios)


def check(what: str, difference: float, limit: float) -> str:
    """Demand that results agree, and say how well they do.

    Args:
        what (str): What was compared.
        difference (float): Between the results.
        limit (float): Largest difference that is equal.

    Returns:
        str: For the table.

    Raises:
        Unequal: If they do not.

    Example:
        >>> check('maps', 2e-7, limit=1e-5)
        'maps within 2e-07'
    """
    if not difference <= limit:  # nor is NaN equal
        raise Unequal(
            f'{what} differ by {difference:.2g}, more than {limit:.2g}'
        )
    return f'{what} within {difference:.1g}' if difference else f'{what} equal'


def relative_difference(ours: Tensor, theirs: Tensor) -> float:
    """Divide the largest difference by the largest value.

    Example:
        >>> from torch import tensor
        >>> relative_difference(tensor([1.0, 4.0]), tensor([2.0, 4.0]))
        0.25
    """
    return float((ours - theirs).abs().max() / theirs.abs().max())


def is_installed(package: str) -> bool:
    """Tell if a package can be imported, without importing it."""
    return importlib.util.find_spec(package) is not None


def rows_of_threads(
    case: str,
    equality: str,
    ways: Mapping[str, Callable[[], Any]],
    repeats: int,
    counts: tuple[int, ...],
    warm_up: int = 1,
) -> Iterator[Row]:
    """Time ways by turns, with each number of threads anew."""
    for count in counts:
        with threads(count):
            times = take_turns(ways, repeats, warm_up)
        yield Row(case, equality, count, times)


def table_of_rows(rows: list[Row]) -> str:
    """Write rows as a table in markdown, a line for each way."""
    head = ['case', 'threads', 'way', 'median', 'fastest to slowest']
    head += ['CPU', 'system', 'peak MiB', 'ours is so many times as fast']
    lines = []
    for row in rows:
        ratios = row.ratios() if row.times else {}
        for name, time in row.times.items():
            share = time.system / time.cpu if time.cpu else 0.0
            lines.append(
                [
                    row.case,
                    str(row.threads),
                    name,
                    format_seconds(time.wall),
                    f'{format_seconds(time.fastest)} to '
                    f'{format_seconds(time.slowest)} ({time.repeats})',
                    format_seconds(time.cpu),
                    f'{share:.0%}',
                    f'{time.peak_mb:.0f}',
                    f'{ratios[name]:.2f}' if name in ratios else '',
                ]
            )
    # Say below what was equal, and what else was found
    remarks = dict.fromkeys(
        f'- {row.case}: {row.equality}.' for row in rows if row.equality
    )
    notes = [
        f'- {row.case}, {row.threads} threads: '
        + ', '.join(f'{name} {value}' for name, value in row.notes.items())
        for row in rows
        if row.notes
    ]
    parts = [as_table(head, lines)] if lines else []
    return '\n\n'.join(
        part for part in [*parts, '\n'.join(remarks), '\n'.join(notes)] if part
    )
