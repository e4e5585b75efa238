# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A reproduction of the paper's tables, as Markdown and as report sections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..report.sections import Cell, Prose, Section, Table
from .paper_tables import PaperTable
from .row_order import Measurement, Pair, compare_order

__all__ = [
    'Cost',
    'Coverage',
    'TableResult',
    'markdown_tables',
    'table_sections',
]


@dataclass(frozen=True)
class Cost:
    """Record what the runs of a row took for one seed.

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
class Coverage:
    """Average precision and recall over the foreground classes.

    Attributes:
        precision: Mean over the classes without background, percent.
        recall: Likewise.
    """

    precision: float
    recall: float

    def __str__(self) -> str:
        return f'{self.precision:.1f} / {self.recall:.1f}'


@dataclass(frozen=True)
class TableResult:
    """A table of the paper with what was measured.

    Attributes:
        table: The table.
        split: What the figures here were scored on.
        figures: Measured figures by row label.
        costs: Costs by row label.
        notes: Paragraphs on what differs and why, written by people.
        coverages: Precision and recall by row label, mean over the seeds,
            where the runs recorded them.
    """

    table: PaperTable
    split: str
    figures: Mapping[str, Measurement]
    costs: Mapping[str, Cost]
    notes: Sequence[str] = field(default_factory=tuple)
    coverages: Mapping[str, Coverage] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Return number and subject."""
        return f'Table {self.table.number}: {self.table.title}'

    @property
    def caption(self) -> str:
        """Say what the figures are."""
        coverage = (
            ' Precision and recall: means over the classes, background left '
            'out.'
        )
        return (
            f'mIoU in %, background included. Paper: {self.table.split}. '
            f'Here: {self.split}.{coverage if self.coverages else ""}'
        )

    def verdict(self) -> tuple[str, list[str]]:
        """Count the pairs of rows in the paper's order, describe the rest."""
        count, differing = compare_order(self.table, self.figures)
        # Say so, for one network or over all
        groups = {row.group for row in self.table.rows}
        within = ' of one network' if len(groups) > 1 else ''
        line = (
            f'{count - len(differing)} of {count} pairs of rows{within} are '
            "in the paper's order."
        )
        return line, [_describe(pair) for pair in differing]


def _describe(pair: Pair) -> str:
    weight = {None: '', True: ' (more than the spread)'}.get(
        pair.clear, ' (within the spread)'
    )
    return (
        f'{pair.better} is not better than {pair.worse}: paper '
        f'{pair.paper:+.1f}, here {pair.ours + 0.0:+.1f}{weight}'
    )


def markdown_tables(
    title: str, preface: Sequence[str], results: Sequence[TableResult]
) -> str:
    """Write the tables as a Markdown page."""
    # Begin with the heading and what the page is
    lines = [f'# {title}', '']
    for paragraph in preface:
        lines += [paragraph, '']
    for result in results:
        # Write a table
        lines += [f'## {result.title}', '', result.caption, '']
        heads = ['', 'paper', 'here', *_extra_heads(result)]
        lines += [f'| {" | ".join(heads)} |', '|---' * len(heads) + '|']
        for row in result.table.rows:
            cells = [
                row.label,
                '' if row.paper is None else f'{row.paper:.1f}',
                _measured(result, row.label),
                *(cell.text for cell in _extra_cells(result, row.label)),
            ]
            lines.append(f'| {" | ".join(cells)} |')
        # Write below it where the order differs
        line, differing = result.verdict()
        lines += ['', line, '', *(f'- {text}' for text in differing)]
        lines += ['', *(f'{note}\n' for note in result.notes)]
    # Join the lines, with single blank ones between them
    return '\n'.join(lines).rstrip().replace('\n\n\n', '\n\n') + '\n'


def _extra_heads(result: TableResult) -> list[str]:
    coverage = ['precision / recall'] if result.coverages else []
    return [*coverage, 'time', 'memory']


def _extra_cells(result: TableResult, label: str) -> list[Cell]:
    """Make the columns that :func:`_extra_heads` names."""
    cells = []
    # Add precision and recall
    if result.coverages:
        coverage = result.coverages.get(label)
        cells.append(
            Cell(str(coverage), coverage.precision) if coverage else Cell('')
        )
    # Add the cost of the row
    cost = result.costs.get(label)
    if cost is None:
        return [*cells, Cell(''), Cell('')]
    memory = f'{cost.peak_mib:.0f} MiB' if cost.peak_mib else ''
    return [
        *cells,
        Cell(str(cost), cost.seconds),
        Cell(memory, cost.peak_mib),
    ]


def _measured(result: TableResult, label: str) -> str:
    figure = result.figures.get(label)
    return 'not run' if figure is None else str(figure)


def table_sections(results: Sequence[TableResult]) -> list[Section]:
    """Build the tables as sections of an HTML report."""
    sections: list[Section] = []
    for result in results:
        # Find the figure to highlight
        best = max((f.mean for f in result.figures.values()), default=0.0)
        rows: list[list[Cell | str]] = []
        # Make a row of the paper's and our figure
        for row in result.table.rows:
            figure = result.figures.get(row.label)
            rows.append(
                [
                    row.label,
                    Cell(
                        '' if row.paper is None else f'{row.paper:.1f}',
                        value=row.paper,
                    ),
                    Cell(
                        _measured(result, row.label),
                        value=figure.mean if figure else None,
                        bar=figure.mean / 100 if figure else None,
                        highlight=figure is not None and figure.mean == best,
                    ),
                    *_extra_cells(result, row.label),
                ]
            )
        sections.append(
            Table(
                result.title,
                ['', 'paper', 'here', *_extra_heads(result)],
                rows,
                caption=result.caption,
            )
        )
        # Say below it where the order differs
        line, differing = result.verdict()
        sections.append(
            Prose(
                f'Table {result.table.number}: order of the rows',
                [line, *result.notes],
                differing,
            )
        )
    return sections
