# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A reproduction of the paper's tables, as Markdown and as report sections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...evaluation.paper_tables import (
    Figure,
    Pair,
    PaperTable,
    compare_order,
)
from .sections import Cell, Prose, Section, Table

__all__ = ['Cost', 'TableResult', 'markdown_tables', 'table_sections']


@dataclass(frozen=True)
class Cost:
    """What the runs of a row took for one seed.

    Attributes:
        seconds: Mean over the seeds, training and test of this row together.
        peak_mib: Largest memory of a process, MiB.
        shared: Whether other rows come out of the same runs.
    """

    seconds: float
    peak_mib: float
    shared: bool

    def __str__(self) -> str:
        note = ', shared' if self.shared else ''
        return f'{self.seconds:.0f} s{note}'


@dataclass(frozen=True)
class TableResult:
    """A table of the paper with what was measured.

    Attributes:
        table: The table.
        split: What the figures here were scored on.
        figures: Measured figures by row label.
        costs: Costs by row label.
        notes: Paragraphs on what differs and why, written by people.
    """

    table: PaperTable
    split: str
    figures: Mapping[str, Figure]
    costs: Mapping[str, Cost]
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def title(self) -> str:
        """Number and subject."""
        return f'Table {self.table.number}: {self.table.title}'

    @property
    def caption(self) -> str:
        """What the figures are."""
        return (
            f'mIoU in %, background included. Paper: {self.table.split}. '
            f'Here: {self.split}.'
        )

    def verdict(self) -> tuple[str, list[str]]:
        """How many pairs of rows are in the paper's order, and which not."""
        count, differing = compare_order(self.table, self.figures)
        line = (
            f'{count - len(differing)} of {count} pairs of rows are in the '
            f"paper's order."
        )
        return line, [_describe(pair) for pair in differing]


def _describe(pair: Pair) -> str:
    weight = {None: '', True: ' (more than the spread)'}.get(
        pair.clear, ' (within the spread)'
    )
    return (
        f'{pair.better} is not better than {pair.worse}: paper '
        f'{pair.paper:+.1f}, here {pair.ours:+.1f}{weight}'
    )


def markdown_tables(
    title: str, preface: Sequence[str], results: Sequence[TableResult]
) -> str:
    """Write the tables as a Markdown page."""
    lines = [f'# {title}', '']
    for paragraph in preface:
        lines += [paragraph, '']
    for result in results:
        lines += [f'## {result.title}', '', result.caption, '']
        lines += [
            '| | paper | here | time | memory |',
            '|---|---|---|---|---|',
        ]
        for row in result.table.rows:
            cells = _cells(result, row.label)
            paper = '' if row.paper is None else f'{row.paper:.1f}'
            lines.append(f'| {" | ".join([row.label, paper, *cells])} |')
        line, differing = result.verdict()
        lines += ['', line, '', *(f'- {text}' for text in differing)]
        lines += ['', *(f'{note}\n' for note in result.notes)]
    return '\n'.join(lines).rstrip().replace('\n\n\n', '\n\n') + '\n'


def _cells(result: TableResult, label: str) -> list[str]:
    """What was measured, time and memory of a row."""
    if label not in result.figures:
        return ['not run', '', '']
    cost = result.costs.get(label)
    if cost is None:
        return [str(result.figures[label]), '', '']
    memory = f'{cost.peak_mib:.0f} MiB' if cost.peak_mib else ''
    return [str(result.figures[label]), str(cost), memory]


def table_sections(results: Sequence[TableResult]) -> list[Section]:
    """Build the tables as sections of an HTML report."""
    sections: list[Section] = []
    for result in results:
        best = max((f.mean for f in result.figures.values()), default=0.0)
        rows: list[list[Cell | str]] = []
        for row in result.table.rows:
            measured, time, memory = _cells(result, row.label)
            figure = result.figures.get(row.label)
            cost = result.costs.get(row.label)
            rows.append(
                [
                    row.label,
                    Cell(
                        '' if row.paper is None else f'{row.paper:.1f}',
                        value=row.paper,
                    ),
                    Cell(
                        measured,
                        value=figure.mean if figure else None,
                        bar=figure.mean / 100 if figure else None,
                        highlight=figure is not None and figure.mean == best,
                    ),
                    Cell(time, value=cost.seconds if cost else None),
                    Cell(memory, value=cost.peak_mib if cost else None),
                ]
            )
        sections.append(
            Table(
                result.title,
                ['', 'paper', 'here', 'time', 'memory'],
                rows,
                caption=result.caption,
            )
        )
        line, differing = result.verdict()
        sections.append(
            Prose(
                f'Table {result.table.number}: order of the rows',
                [line, *result.notes],
                differing,
            )
        )
    return sections
