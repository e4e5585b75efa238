# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Collect seconds and mIoU of a pipeline's stages in one table."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .expected_scores import Score
from .stage import Stage
from .stage_runner import StageRunner

__all__ = ['ScoredRow', 'format_summary', 'read_scores', 'summary_record']

_Cells = tuple[str, str, str, str, str]  # of a line of the table


@dataclass(frozen=True)
class ScoredRow:
    """Hold what a run measured for a row of the summary.

    Attributes:
        score: The row.
        miou: Percent.
        split: What it was scored on; '' if the metric does not tell.
        images: How many images; None if the metric does not tell.
    """

    score: Score
    miou: float
    split: str = ''
    images: int | None = None


def read_scores(
    scores: Sequence[Score], runner: StageRunner, stages: Sequence[Stage]
) -> list[ScoredRow]:
    """Read the scores that the stages wrote.

    Args:
        scores (Sequence[Score]): Rows of the pipeline.
        runner (StageRunner): That has run or adopted the stages.
        stages (Sequence[Stage]): Of the pipeline.

    Returns:
        list[ScoredRow]: Rows that were measured; the others are left out.
    """
    # Read the record of each stage that has one
    found: dict[str, dict[str, Any]] = {}
    for stage in stages:
        if stage.name in runner.records and not stage.is_training:
            folder = runner.work_dir(stage)
            path = runner.root / (folder or '') / 'metrics.json'
            if folder and path.is_file():
                found[stage.name] = json.loads(path.read_text())
    # Pick the rows from them
    rows = []
    for score in scores:
        metrics = found.get(score.stage, {}).get('metrics', {})
        if score.metric not in metrics:
            continue
        prefix = score.metric.rpartition('/')[0]
        record = found[score.stage].get('records', {}).get(prefix, {})
        images = metrics.get(f'{prefix}/images')
        rows.append(
            ScoredRow(
                score,
                round(float(metrics[score.metric]), 2),
                record.get('split') or '',
                None if images is None else int(images),
            )
        )
    return rows


def summary_record(
    rows: Sequence[ScoredRow], runner: StageRunner
) -> dict[str, Any]:
    """Collect the figures for summary.json."""
    record: dict[str, Any] = {row.score.key: row.miou for row in rows}
    record['seconds'] = {
        name: round(found.seconds, 1) for name, found in runner.records.items()
    }
    record['images'] = {
        row.split: row.images for row in rows if row.split and row.images
    }
    return record


def format_summary(
    title: str,
    rows: Sequence[ScoredRow],
    runner: StageRunner,
    stages: Sequence[Stage],
    ran: Sequence[str],
    comparable: bool = True,
) -> str:
    """Lay the summary out as a table.

    Args:
        title (str): Of the data set.
        rows (Sequence[ScoredRow]): What was measured.
        runner (StageRunner): Knows the seconds of each stage.
        stages (Sequence[Stage]): Of the pipeline, in order.
        ran (Sequence[str]): Names of those that ran now.
        comparable (bool): Whether to show what is expected.

    Returns:
        str: Lines, with the sources of the expected figures below.
    """
    # Write a line a stage, and below it what it measured
    lines: list[_Cells] = [('', 'seconds', 'scored on', 'mIoU', 'expected')]
    done = [stage for stage in stages if stage.name in runner.records]
    for stage in done:
        seconds = runner.records[stage.name].seconds
        mark = '' if stage.name in ran else '*'
        lines.append((stage.title, f'{seconds:.0f}{mark}', '', '', ''))
        mine = [row for row in rows if row.score.stage == stage.name]
        lines += [_row_cells(row, comparable) for row in mine]
    total = sum(runner.records[stage.name].seconds for stage in done)
    lines.append(('total', f'{total:.0f}', '', '', ''))
    # Leave out columns that would be empty where nothing is scored
    table = _align([line if rows else line[:2] for line in lines])
    # Say what the figures are
    measured = 'mIoU in %, background included' if rows else 'not scored'
    notes = _notes(rows, comparable)
    if any(stage.name not in ran for stage in done):
        notes.append('* not run now: done before')
    return '\n'.join([f'{title}: {measured}', *table, *notes])


def _align(lines: Sequence[Sequence[str]]) -> list[str]:
    """Align columns, texts to the left and numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        '  '.join(
            cell.ljust(width) if column in (0, 2) else cell.rjust(width)
            for column, (cell, width) in enumerate(
                zip(line, widths, strict=True)
            )
        ).rstrip()
        for line in lines
    ]


def _notes(rows: Sequence[ScoredRow], comparable: bool) -> list[str]:
    """Say where the expected figures come from, or that none compare."""
    if rows and not comparable:
        return ['a small run: its scores compare with no others']
    sources = {row.score.source for row in rows if row.score.source}
    return [f'expected: {"; ".join(sorted(sources))}'] if sources else []


def _row_cells(row: ScoredRow, comparable: bool) -> _Cells:
    images = '' if row.images is None else f' ({row.images:,})'
    expected = row.score.expected if comparable else None
    return (
        f'    {row.score.text}',
        '',
        row.split + images,
        f'{row.miou:.1f}',
        '' if expected is None else f'{expected:.1f}',
    )
