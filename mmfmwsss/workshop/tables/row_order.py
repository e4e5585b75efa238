# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Measured figures, and whether they order rows as the paper does."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from .paper_tables import PaperTable, Row

__all__ = ['Measurement', 'Pair', 'compare_order']


@dataclass(frozen=True)
class Measurement:
    """Hold the mIoU of one row, measured with one or more seeds.

    Attributes:
        values: One a seed; one value for what does not depend on a seed.

    Raises:
        ValueError: If there is no value.
    """

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError('Expected a value or more, but got none.')

    @property
    def mean(self) -> float:
        """Average over the seeds."""
        return statistics.fmean(self.values)

    @property
    def spread(self) -> float | None:
        """Return the sample standard deviation; None for one value."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    def __str__(self) -> str:
        spread = self.spread
        text = f'{self.mean:.1f}'
        return text if spread is None else f'{text} ± {spread:.1f}'

    def minus(self, other: 'Measurement') -> 'Measurement':
        """Subtract seed by seed: runs of one seed share what they can.

        Raises:
            ValueError: If the numbers of seeds differ, and neither is one.
        """
        # Let a single value stand for every seed
        counts = {len(self.values), len(other.values)} - {1}
        if len(counts) > 1:
            raise ValueError(
                'Expected figures over the same seeds, but got '
                f'{len(self.values)} and {len(other.values)} values.'
            )
        count = max(counts, default=1)
        # Subtract seed by seed
        return Measurement(
            tuple(
                one - two
                for one, two in zip(
                    self._over(count), other._over(count), strict=True
                )
            )
        )

    def _over(self, count: int) -> tuple[float, ...]:
        return self.values * count if len(self.values) == 1 else self.values


@dataclass(frozen=True)
class Pair:
    """Two rows that the paper and a reproduction order differently.

    Attributes:
        better: Label of the row that is better in the paper.
        worse: Label of the other.
        paper: Distance in the paper, points.
        ours: Distance here, points, 0 or negative.
        clear: Whether it exceeds the spread of the difference over the seeds;
            None with one seed, which has no spread.
    """

    better: str
    worse: str
    paper: float
    ours: float
    clear: bool | None


def compare_order(
    table: PaperTable, figures: Mapping[str, Measurement]
) -> tuple[int, list[Pair]]:
    """Count the pairs of rows whose order agrees with the paper's.

    A pair that the paper orders but the figures tie is a disagreement. Rows
    of other groups, without a figure, or without one in the paper do not
    count.

    Args:
        table (PaperTable): The table.
        figures (Mapping[str, Measurement]): Measured figures by row label.

    Returns:
        tuple[int, list[Pair]]: Number of pairs compared, and those whose
        order differs, the largest distance in the paper first.
    """
    # Visit the pairs of rows that were measured
    count, differing = 0, []
    for one, other in combinations(table.rows, 2):
        if one.label not in figures or other.label not in figures:
            continue
        # Leave out pairs that the paper does not order
        distance = _distance(one, other)
        if not distance:
            continue
        count += 1
        # Compare in the paper's direction
        better, worse = (one, other) if distance > 0 else (other, one)
        ours = figures[better.label].minus(figures[worse.label])
        # Note the pairs in another order, and if it is beyond the spread
        if ours.mean <= 0:
            spread = ours.spread
            differing.append(
                Pair(
                    better.label,
                    worse.label,
                    round(abs(distance), 1),
                    round(ours.mean, 1),
                    None if spread is None else -ours.mean > spread,
                )
            )
    # Put the largest differences first
    differing.sort(key=lambda pair: -pair.paper)
    return count, differing


def _distance(one: Row, other: Row) -> float:
    """Subtract the paper's figures; 0 where rows cannot be compared."""
    if one.paper is None or other.paper is None or one.group != other.group:
        return 0.0
    return one.paper - other.paper
