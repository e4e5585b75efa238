# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Numbers of runs as tables and curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ...datasets.wrapped_datasets import inner_settings
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
    """Make a cell that sorts by its number; a dash where there is none."""
    if value is None:
        return Cell(NONE, float('nan'))
    return Cell(f'{value:,.{digits}f}', value)


def score_table(
    results: Sequence[Result],
    image_counts: Mapping[str, int],
    runs: Sequence[RunFolder] = (),
) -> Table:
    """Tabulate the mIoU of each result, with what it was measured on.

    Args:
        results (Sequence[Result]): Of all runs.
        image_counts (Mapping[str, int]): Number of images by run name, where
            the metric did not count them.
        runs (Sequence[RunFolder]): Trainings among them give the mIoU of
            their last validation.

    Returns:
        Table: One row a result, or a training, that has an mIoU.
    """
    rows: list[list[Cell | str]] = []
    # Leave out results without a score
    for result in results:
        miou = result.score('mIoU')
        if miou is None:
            continue
        # Count the images by the data set where the record does not
        images = result.score('images')
        if images is None:
            images = image_counts.get(result.run.name)
        # Add a row, with the whole path and date as notes
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
    rows += [row for run in runs if (row := _validation_row(run))]
    return Table(
        title='Scores',
        columns=[
            'Run', 'Label maps', 'mIoU, %', 'Split', 'Images', 'Failed',
            'Protocol', 'Checkpoint', 'Date',
        ],
        rows=rows,
        caption='Mean IoU over all labels, background included, from each '
        "run's metrics.json; of a training, from the log of its last "
        'validation.',
    )  # fmt: skip


def _validation_row(run: RunFolder) -> list[Cell | str] | None:
    """Make the row of a training's last validation, if it had one."""
    # Leave tests to their own record
    curves = {} if run.record else _curves(run)
    curve = next((c for n, c in curves.items() if _is_miou(n)), None)
    if curve is None:
        return None
    # Name the images by the data set of the validation
    miou, step = curve.values[-1], curve.steps[-1]
    dataset = (run.config.get('val_dataloader') or {}).get('dataset', {})
    named = dataset.get('ann_file') or dataset.get('image_list') or ''
    return [
        run.name,
        f'validation at {step:.0f}',
        Cell(f'{miou:.2f}', miou, bar=miou / 100),
        Path(named).stem or NONE,
        *[number(None)] * 2,
        *[NONE] * 3,
    ]


def _is_miou(name: str) -> bool:
    return name.split('/')[-1] == 'mIoU'


def split_of(result: Result) -> str:
    """Name the images: what the metric says, else the list's file."""
    # Ask the metric
    named = result.record.get('split') or result.split
    if named:
        return str(named)
    # Ask the data sets of the test
    settings = result.run.config.test_dataloader.dataset
    names = [
        Path(one.get('ann_file') or one.get('image_list') or '').stem
        for one in inner_settings(settings)
    ]
    return ' + '.join(dict.fromkeys(filter(None, names)))


def number_table(runs: Sequence[RunFolder]) -> Table:
    """Tabulate what else ``metrics.json`` has, and what was logged once."""
    rows: list[list[Cell | str]] = []
    for run in runs:
        # Take the numbers that the score table lacks
        for name, value in run.metrics.items():
            if name.split('/')[-1] not in _IN_SCORE_TABLE:
                digits = 0 if value % 1 == 0 else 2
                rows.append([run.name, name, number(value, digits)])
        # Add the time, and curves of a single point
        if 'seconds' in run.record:
            rows.append([run.name, 'seconds', number(run.record['seconds'])])
        for name, curve in _curves(run).items():
            if len(curve.values) == 1 and not _is_miou(name):
                step = f'{name} at iteration {curve.steps[0]:.0f}'
                rows.append([run.name, step, number(curve.values[0], 2)])
    return Table('Other numbers', ['Run', 'Name', 'Value'], rows)


def class_table(
    title: str, columns: Sequence[tuple[str, ClassScores]], caption: str = ''
) -> Table:
    """Tabulate the IoU of each class, one column a result, best marked.

    Args:
        title (str): Heading.
        columns (Sequence): Heading and ``class_scores`` of each result. With
            one result its precision and recall are shown as well.
        caption (str): What was scored.

    Returns:
        Table: Classes in the order of the labels, the mean at the end.
    """
    # Make a column for the IoU of each result
    values: dict[str, list[float | None]] = {}
    headings = [f'{name}, IoU %' for name, _ in columns]
    keys = [(scores, 'IoU') for _, scores in columns]
    # Make room for precision and recall where there is one result
    if len(columns) == 1:
        headings += ['precision, %', 'recall, %']
        keys += [(columns[0][1], k) for k in ('precision', 'recall')]
    # Collect the values of each class, and their mean
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
    # Find the best IoU of the row
    ious = [value for value in row[:results] if value is not None]
    best = max(ious) if len(ious) > 1 else None
    cells: list[Cell | str] = [label]
    # Fill the cells; a bar is for IoUs only
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
    """Collect everything that was logged, except times and counters."""
    # Collect the names in the order of the log
    names = dict.fromkeys(name for row in run.scalars for name in row)
    curves = {}
    # Follow each through the steps that logged it
    for name in names:
        rows = [row for row in run.scalars if name in row]
        if name not in _NOT_LEARNT:
            curves[name] = Curve(
                name, [r['step'] for r in rows], [r[name] for r in rows]
            )
    return curves


def learning_curves(run: RunFolder) -> LearningCurves | None:
    """Draw losses in one chart, the rest in charts of their own.

    Args:
        run (RunFolder): A training; or any run.

    Returns:
        LearningCurves: None if nothing was logged.
    """
    # Tell losses from the rest
    curves = [c for c in _curves(run).values() if len(c.values) > 1]
    losses: list[Curve] = []
    others: list[Curve] = []
    for curve in curves:
        (losses if 'loss' in curve.name else others).append(curve)
    # Drop the total where it is the only loss
    if len(losses) == 2 and losses[0].values == losses[1].values:
        del losses[1]  # the sum of one loss
    # Make a chart of the losses, and one of each other curve
    charts = [Chart('losses', losses)] if losses else []
    charts += [Chart(_CHART_TITLES.get(c.name, c.name), [c]) for c in others]
    if not charts:
        return None
    return LearningCurves(f'Learning curves of {run.name}', charts)


_CHART_TITLES = {'lr': 'learning rate', 'grad_norm': 'norm of the gradient'}
