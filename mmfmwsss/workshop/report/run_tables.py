# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Numbers of runs as tables and curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from .run_folder import Result, RunFolder
from .sections import Cell, Chart, Curve, LearningCurves, Table

__all__ = [
    'NONE',
    'class_table',
    'learning_curves',
    'number_table',
    'score_table',
    'split_of',
]

ClassScores = Mapping[str, Mapping[str, float | None]]

_NOT_LEARNT = {'time', 'data_time', 'memory', 'iter', 'epoch', 'step'}
_IN_SCORE_TABLE = {'mIoU', 'images', 'failed'}
NONE = '–'  # noqa: RUF001  a dash for what is not there


def number(value: float | None, digits: int = 1) -> Cell:
    """A cell that sorts by its number; a dash where there is none."""
    if value is None:
        return Cell(NONE, float('nan'))
    return Cell(f'{value:,.{digits}f}', value)


def score_table(
    results: Sequence[Result], image_counts: Mapping[str, int]
) -> Table:
    """The mIoU of every scored result, with what it was measured on.

    Args:
        results (Sequence[Result]): Of all runs.
        image_counts (Mapping[str, int]): Number of images by run name, where
            the metric did not count them.

    Returns:
        Table: One row a result that has an mIoU.
    """
    rows: list[list[Cell | str]] = []
    for result in results:
        miou = result.score('mIoU')
        if miou is None:
            continue
        images = result.score('images')
        if images is None:
            images = image_counts.get(result.run.name)
        checkpoint = str(result.run.record.get('checkpoint') or NONE)
        date = str(result.run.record.get('date', NONE))
        rows.append(
            [
                result.run.name,
                result.title,
                Cell(f'{miou:.2f}', miou, bar=miou / 100),
                split_of(result) or NONE,
                number(images, 0),
                number(result.score('failed'), 0),
                result.record.get('protocol') or result.protocol or NONE,
                Cell(Path(checkpoint).name, note=checkpoint),
                Cell(date.split('T')[0], note=date),
            ]
        )
    return Table(
        title='Scores',
        columns=[
            'Run', 'Label maps', 'mIoU, %', 'Split', 'Images', 'Failed',
            'Protocol', 'Checkpoint', 'Date',
        ],
        rows=rows,
        caption='Mean IoU over all labels, background included, from each '
        "run's metrics.json.",
    )  # fmt: skip


def split_of(result: Result) -> str:
    """Name of the images: what the metric says, else the file of the list."""
    named = result.record.get('split') or result.split
    if named:
        return str(named)
    dataset = result.run.config.test_dataloader.dataset
    named = dataset.get('ann_file') or dataset.get('image_list') or ''
    return Path(named).stem


def number_table(runs: Sequence[RunFolder]) -> Table:
    """All other numbers of ``metrics.json``, and what was logged but once."""
    rows: list[list[Cell | str]] = []
    for run in runs:
        for name, value in run.metrics.items():
            if name.split('/')[-1] not in _IN_SCORE_TABLE:
                digits = 0 if value % 1 == 0 else 2
                rows.append([run.name, name, number(value, digits)])
        if 'seconds' in run.record:
            rows.append([run.name, 'seconds', number(run.record['seconds'])])
        for name, curve in _curves(run).items():
            if len(curve.values) == 1:
                step = f'{name} at iteration {curve.steps[0]:.0f}'
                rows.append([run.name, step, number(curve.values[0], 2)])
    return Table('Other numbers', ['Run', 'Name', 'Value'], rows)


def class_table(
    title: str, columns: Sequence[tuple[str, ClassScores]], caption: str = ''
) -> Table:
    """IoU of each class, one column a result, the best of each row marked.

    Args:
        title (str): Heading.
        columns (Sequence): Heading and ``class_scores`` of each result. With
            one result its precision and recall are shown as well.
        caption (str): What was scored.

    Returns:
        Table: Classes in the order of the labels, the mean at the end.
    """
    values: dict[str, list[float | None]] = {}
    headings = [f'{name}, IoU %' for name, _ in columns]
    keys = [(scores, 'IoU') for _, scores in columns]
    if len(columns) == 1:
        headings += ['precision, %', 'recall, %']
        keys += [(columns[0][1], k) for k in ('precision', 'recall')]
    for label in columns[0][1]:
        values[label] = [s.get(label, {}).get(key) for s, key in keys]
    rows = [
        _class_row(label, row, len(columns)) for label, row in values.items()
    ]
    mean = [
        _mean([row[i] for row in values.values()]) for i in range(len(keys))
    ]
    rows.append(_class_row('mean', mean, len(columns)))
    return Table(title, ['Class', *headings], rows, caption)


def _class_row(
    label: str, row: Sequence[float | None], results: int
) -> list[Cell | str]:
    ious = [value for value in row[:results] if value is not None]
    best = max(ious) if len(ious) > 1 else None
    cells: list[Cell | str] = [label]
    for column, value in enumerate(row):
        if value is None:
            cells.append(Cell(NONE, float('nan'), note='no such pixel'))
            continue
        bar = value / 100 if column < results else None
        marked = value == best and column < results
        cells.append(Cell(f'{value:.1f}', value, bar, marked))
    return cells


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _curves(run: RunFolder) -> dict[str, Curve]:
    """Everything that was logged, except for times and counters."""
    names = dict.fromkeys(name for row in run.scalars for name in row)
    curves = {}
    for name in names:
        rows = [row for row in run.scalars if name in row]
        if name not in _NOT_LEARNT:
            curves[name] = Curve(
                name, [r['step'] for r in rows], [r[name] for r in rows]
            )
    return curves


def learning_curves(run: RunFolder) -> LearningCurves | None:
    """Losses in one chart, the rest in charts of their own.

    Args:
        run (RunFolder): A training; or any run.

    Returns:
        LearningCurves: None if nothing was logged.
    """
    curves = [c for c in _curves(run).values() if len(c.values) > 1]
    losses: list[Curve] = []
    others: list[Curve] = []
    for curve in curves:
        (losses if 'loss' in curve.name else others).append(curve)
    if len(losses) == 2 and losses[0].values == losses[1].values:
        del losses[1]  # the sum of one loss
    charts = [Chart('losses', losses)] if losses else []
    charts += [Chart(_CHART_TITLES.get(c.name, c.name), [c]) for c in others]
    if not charts:
        return None
    return LearningCurves(f'Learning curves of {run.name}', charts)


_CHART_TITLES = {'lr': 'learning rate', 'grad_norm': 'norm of the gradient'}
