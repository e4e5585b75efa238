# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Tables 1 to 5 of the paper, and how a reproduction compares with them."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

__all__ = [
    'PAPER_TABLES',
    'Measurement',
    'Pair',
    'PaperTable',
    'Row',
    'compare_order',
]


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        label: As in the paper.
        paper: mIoU that the paper gives, percent; None where a row is ours.
        stage: Name of the run that measures it.
        metric: Key among the metrics of that run.
        group: Only rows of one group are compared with each other.
    """

    label: str
    paper: float | None
    stage: str
    metric: str
    group: str = ''


@dataclass(frozen=True)
class PaperTable:
    """A table of the paper.

    Attributes:
        number: Its number.
        title: What it compares.
        split: What the paper's figures were scored on.
        rows: Its rows, in the paper's order.
    """

    number: int
    title: str
    split: str
    rows: tuple[Row, ...]


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


_TRAINAUG = 'VOC 2012 train_aug'
_VAL = 'VOC 2012 val'
_FINE = ('seeds', 'fine_seed/mIoU')
_COARSE = ('seeds', 'coarse_seed/mIoU')

PAPER_TABLES: dict[int, PaperTable] = {
    table.number: table
    for table in (
        PaperTable(
            1,
            'prompts and post-processing of the seeds',
            _TRAINAUG,
            (
                Row(
                    'CLIP-ES: manual prompts, CRF',
                    68.7,
                    'clip_es',
                    'manual_crf/mIoU',
                ),
                Row(
                    'M0: Cls. prompts, CRF',
                    68.2,
                    'seeds',
                    'classification_crf/mIoU',
                ),
                Row('M1: Cls. prompts, SAMS', 71.5, *_COARSE),
                Row(
                    'M2: Cls. and Seg. prompts, CRF',
                    71.6,
                    'seeds',
                    'segmentation_crf/mIoU',
                ),
                Row('M3: Cls. and Seg. prompts, SAMS', 74.2, *_FINE),
                Row(
                    'manual prompts, SAMS',
                    None,
                    'clip_es',
                    'manual_sams/mIoU',
                ),
            ),
        ),
        PaperTable(
            2,
            'design of the segmentation prompts',
            _TRAINAUG,
            (
                Row(
                    'Unified Context',
                    72.6,
                    'unified_context_test',
                    'fine_seed/mIoU',
                ),
                Row(
                    'CSC + Append + w/ bg.',
                    73.3,
                    'append_name_test',
                    'fine_seed/mIoU',
                ),
                Row(
                    'CSC + Prepend + w/ bg.',
                    73.6,
                    'prepend_name_test',
                    'fine_seed/mIoU',
                ),
                Row(
                    'CSC + Prepend + w/o bg.',
                    74.2,
                    'nameless_background_test',
                    'fine_seed/mIoU',
                ),
            ),
        ),
        PaperTable(
            3,
            'post-processing of the final segmentation',
            _VAL,
            (
                Row(
                    'DeepLabV3+',
                    75.9,
                    'deeplabv3plus_test',
                    'mIoU',
                    'deeplabv3plus',
                ),
                Row(
                    'DeepLabV3+, CRF',
                    75.5,
                    'deeplabv3plus_crf',
                    'mIoU',
                    'deeplabv3plus',
                ),
                Row(
                    'DeepLabV3+, SAMS',
                    77.3,
                    'deeplabv3plus_sams',
                    'mIoU',
                    'deeplabv3plus',
                ),
                Row(
                    'Mask2Former',
                    82.6,
                    'mask2former_test',
                    'mIoU',
                    'mask2former',
                ),
                Row(
                    'Mask2Former, CRF',
                    81.4,
                    'mask2former_crf',
                    'mIoU',
                    'mask2former',
                ),
                Row(
                    'Mask2Former, SAMS',
                    82.2,
                    'mask2former_sams',
                    'mIoU',
                    'mask2former',
                ),
            ),
        ),
        PaperTable(
            4,
            'seeding: from CAMs to seeds',
            _TRAINAUG,
            (
                Row('Baseline', 60.7, 'seeds', 'cam/mIoU'),
                Row('+ CAA', 69.1, 'seeds', 'cam_caa/mIoU'),
                Row('+ Voting', 69.5, 'seeds', 'voting/mIoU'),
                Row('+ CAA + Voting', 72.3, 'seeds', 'voting_caa/mIoU'),
                Row('+ SAMS, plain SAM', 71.0, 'mask_settings', 'plain/mIoU'),
                Row(
                    '+ SAMS, More whole',
                    71.2,
                    'mask_settings',
                    'more_whole/mIoU',
                ),
                Row(
                    '+ SAMS, NMS Priority',
                    71.5,
                    'mask_settings',
                    'nms_priority/mIoU',
                ),
                Row(
                    '+ SAMS, More whole + NMS Priority',
                    72.0,
                    'mask_settings',
                    'no_filter/mIoU',
                ),
                Row(
                    '+ SAMS, More whole + NMS Priority + Filter',
                    73.5,
                    'seeds',
                    'sams/mIoU',
                ),
                Row('+ CAA + SAMS', 74.2, 'seeds', 'sams_caa/mIoU'),
            ),
        ),
        PaperTable(
            5,
            'losses',
            _TRAINAUG,
            (
                Row(
                    'L_BCE',
                    65.9,
                    'binary_cross_entropy_test',
                    'coarse_seed/mIoU',
                ),
                Row('L_MCL', 71.5, *_COARSE),
                Row(
                    'L_MCL + L_CE',
                    52.1,
                    'cross_entropy_test',
                    'fine_seed/mIoU',
                ),
                Row('L_MCL + L_CAL', 74.2, *_FINE),
            ),
        ),
    )
}
