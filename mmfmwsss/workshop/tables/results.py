# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Read what the runs behind the paper's tables measured."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from ...utils import UserInputError
from ..stages import Stage, StageRunner
from .paper_tables import PAPER_TABLES, PaperTable
from .report import Cost, Coverage, TableResult
from .row_order import Measurement
from .stages import TableStages

__all__ = ['read_notes', 'read_result']


def read_result(
    table: PaperTable,
    chain: TableStages,
    seeds: Sequence[int],
    runner: StageRunner,
    notes: Mapping[int, Sequence[str]],
) -> TableResult:
    """Collect the figures and the costs of a table.

    Args:
        table (PaperTable): The table.
        chain (TableStages): The stages that measure it.
        seeds (Sequence[int]): Seeds over which to summarise.
        runner (StageRunner): That has run them.
        notes (Mapping): Paragraphs by number of the table.

    Returns:
        TableResult: What was measured.

    Raises:
        UserInputError: If a figure is not there.
    """
    # Read the scores of every row, one a seed.
    scores = {
        row.label: [
            _read_score(
                runner.root / chain.out / name,
                row.label,
                chain.dataset.metric(row),
            )
            for name in chain.measuring(row.stage, seeds)
        ]
        for row in table.rows
    }
    # Average them, and add up what their runs took.
    coverages = {label: _mean_coverage(s) for label, s in scores.items()}
    return TableResult(
        table,
        _split_text(table, chain, seeds, scores),
        {
            label: Measurement(tuple(score.miou for score in s))
            for label, s in scores.items()
        },
        _costs(table, chain, seeds, runner),
        notes.get(table.number, []),
        {label: c for label, c in coverages.items() if c is not None},
    )


def _costs(
    table: PaperTable,
    chain: TableStages,
    seeds: Sequence[int],
    runner: StageRunner,
) -> dict[str, Cost]:
    """Add up what the runs of each row took, by its label."""
    # Count the rows that each stage serves
    by_name = {s.name: s for s in chain.stages(PAPER_TABLES, seeds)}
    users = _count_users(chain, seeds, by_name)
    costs = {}
    # Add up the stages of each row, as a mean over the seeds
    for row in table.rows:
        names = chain.measuring(row.stage, seeds)
        own = [_own_stages(name, by_name) for name in names]
        records = [runner.records[name] for names in own for name in names]
        costs[row.label] = Cost(
            sum(record.seconds for record in records) / len(own),
            max(record.peak_mib for record in records),
            any(users[name] > 1 for name in own[0]),
        )
    return costs


def _count_users(
    chain: TableStages, seeds: Sequence[int], by_name: dict[str, Stage]
) -> Counter[str]:
    """Count the rows of all tables that each stage serves."""
    rows = {row for table in PAPER_TABLES.values() for row in table.rows}
    return Counter(
        name
        for row in rows
        for name in _own_stages(chain.measuring(row.stage, seeds)[0], by_name)
    )


def _split_text(
    table: PaperTable,
    chain: TableStages,
    seeds: Sequence[int],
    scores: Mapping[str, Sequence['_Score']],
) -> str:
    """Say on which images, and with how many seeds, a table was scored."""
    # Name the split
    split = 'val' if table.number == 3 else 'train'
    text = f'{chain.dataset.title} {split}'
    # Add the number of images, and of seeds
    counts = {score.images for row in scores.values() for score in row}
    if found := sorted(counts - {0}):
        text += f', {", ".join(f"{count:,}" for count in found)} images'
    return f'{text}, {len(seeds)} seed{"s" * (len(seeds) > 1)}'


@dataclass(frozen=True)
class _Score:
    """A row's figure from one run.

    Attributes:
        miou: Percent.
        images: How many were scored; 0 where it is not recorded.
        coverage: Where it is recorded.
    """

    miou: float
    images: int
    coverage: Coverage | None


def _mean_coverage(scores: Sequence[_Score]) -> Coverage | None:
    # Leave out tests without records
    known = [score.coverage for score in scores if score.coverage]
    if not known:
        return None
    # Average over the seeds
    return Coverage(
        fmean(c.precision for c in known), fmean(c.recall for c in known)
    )


def _own_stages(test: str, by_name: dict[str, Stage]) -> list[str]:
    """Name a test and the training that it tests."""
    needs = by_name[test].needs
    return [test, *(name for name in needs if by_name[name].is_training)]


def _read_score(folder: Path, label: str, metric: str) -> _Score:
    # Read the figures of the test
    path = folder / 'metrics.json'
    prefix = metric.rpartition('/')[0]
    try:
        record = json.loads(path.read_text())
        metrics = record['metrics']
        miou = float(metrics[metric])
    except (OSError, ValueError, KeyError) as error:
        raise UserInputError(
            f'Expected {metric} of {label!r} in {path}, but it cannot '
            f'be read ({error!r}). Delete the folder, and its file in stages, '
            f'to run it again.'
        ) from error
    # Take the classes' precision and recall from the metric's notes
    details = record.get('records', {}).get(prefix, {})
    return _Score(
        miou,
        int(metrics.get(f'{prefix}/images', 0)),
        _coverage(list(details.get('classes', {}).values())),
    )


def _coverage(
    classes: Sequence[Mapping[str, float | None]],
) -> Coverage | None:
    """Average over the classes after the background, where defined."""
    # Collect what is defined
    precision, recall = (
        [v for scores in classes[1:] if (v := scores[key]) is not None]
        for key in ('precision', 'recall')
    )
    if not precision or not recall:
        return None
    # Average over the classes
    return Coverage(fmean(precision), fmean(recall))


def read_notes(path: Path) -> dict[int, list[str]]:
    """Read the remarks on the tables.

    Args:
        path (Path): Markdown with headings ``## Runs``, ``## Table N``. What
            stands under other headings is left out.

    Returns:
        dict[int, list[str]]: Paragraphs below ``## Table N`` by its number,
        those below ``## Runs`` by 0.

    Raises:
        UserInputError: If it cannot be read.
    """
    try:
        text = path.read_text(encoding='utf-8')
    except (OSError, ValueError) as error:
        raise UserInputError(
            f'Expected Markdown with remarks at {path}, but it cannot be read '
            f'({error}). Correct --notes, or leave it out.'
        ) from error
    # Split it at its headings
    parts = re.split(r'^## (.*)$', text, flags=re.M)
    notes = {}
    for heading, below in zip(parts[1::2], parts[2::2], strict=True):
        # Keep paragraphs below the headings that name a table
        named = re.fullmatch(r'Table (\d+).*|Runs', heading)
        if named and below.strip():
            paragraphs = below.strip().split('\n\n')
            notes[int(named[1] or 0)] = [
                ' '.join(p.split()) for p in paragraphs
            ]
    return notes
