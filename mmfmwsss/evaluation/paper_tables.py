# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Tables 1 to 5 of the paper, and how a reproduction compares with them."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

__all__ = [
    'PAPER_TABLES',
    'Figure',
    'Pair',
    'PaperTable',
    'Row',
    'compare_order',
    'summarise',
]


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        label: As in the paper.
        paper: mIoU that the paper gives, percent; None where a row is ours.
        stage: Name of the run that measures it.
        metric: Key among the metrics of that run.
    """

    label: str
    paper: float | None
    stage: str
    metric: str


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
class Figure:
    """A measured figure: mean and sample standard deviation over seeds."""

    mean: float
    spread: float
    count: int

    def __str__(self) -> str:
        if self.count < 2:
            return f'{self.mean:.1f}'
        return f'{self.mean:.1f} ± {self.spread:.1f}'


@dataclass(frozen=True)
class Pair:
    """Two rows that the paper and a reproduction order differently.

    Attributes:
        better: Label of the row that is better in the paper.
        worse: Label of the other.
        paper: Distance in the paper, points.
        ours: Distance here, points, 0 or negative.
        clear: Whether it exceeds the spread over the seeds; None with one
            seed, which has no spread.
    """

    better: str
    worse: str
    paper: float
    ours: float
    clear: bool | None


def summarise(values: Sequence[float]) -> Figure:
    """Mean and sample standard deviation; 0 for one value.

    Raises:
        ValueError: If there is no value.
    """
    if not values:
        raise ValueError(
            'Expected a value or more to summarise, but got none.'
        )
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return Figure(statistics.fmean(values), spread, len(values))


def compare_order(
    table: PaperTable, figures: Mapping[str, Figure]
) -> tuple[int, list[Pair]]:
    """Count the pairs of rows whose order agrees with the paper's.

    A pair that the paper orders but the figures tie is a disagreement. Rows
    without a figure, or without one in the paper, do not count.

    Args:
        table (PaperTable): The table.
        figures (Mapping[str, Figure]): Measured figures by row label.

    Returns:
        tuple[int, list[Pair]]: Number of pairs compared, and those whose
        order differs, the largest distance in the paper first.
    """
    measured = [
        (row.label, row.paper, figures[row.label])
        for row in table.rows
        if row.paper is not None and row.label in figures
    ]
    count, differing = 0, []
    for one, other in combinations(measured, 2):
        if one[1] == other[1]:
            continue
        count += 1
        better, worse = (one, other) if one[1] > other[1] else (other, one)
        distance = better[2].mean - worse[2].mean
        if distance > 0:
            continue
        noise = math.hypot(better[2].spread, worse[2].spread)
        known = better[2].count > 1 and worse[2].count > 1
        differing.append(
            Pair(
                better[0],
                worse[0],
                round(better[1] - worse[1], 1),
                round(distance, 1),
                -distance > noise if known else None,
            )
        )
    differing.sort(key=lambda pair: -pair.paper)
    return count, differing


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
                Row('CSC + Prepend + w/o bg.', 74.2, *_FINE),
            ),
        ),
        PaperTable(
            3,
            'post-processing of the final segmentation',
            _VAL,
            (
                Row('DeepLabV3+', 75.9, 'deeplabv3plus_test', 'mIoU'),
                Row('DeepLabV3+, CRF', 75.5, 'deeplabv3plus_crf', 'mIoU'),
                Row('DeepLabV3+, SAMS', 77.3, 'deeplabv3plus_sams', 'mIoU'),
                Row('Mask2Former', 82.6, 'mask2former_test', 'mIoU'),
                Row('Mask2Former, CRF', 81.4, 'mask2former_crf', 'mIoU'),
                Row('Mask2Former, SAMS', 82.2, 'mask2former_sams', 'mIoU'),
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
