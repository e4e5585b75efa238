# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Tables beside the paper's, as Markdown and as sections."""

from dataclasses import replace

from mmfmwsss.workshop.report import Prose, Table
from mmfmwsss.workshop.tables.paper_tables import PAPER_TABLES
from mmfmwsss.workshop.tables.report import (
    Cost,
    Coverage,
    TableResult,
    markdown_tables,
    table_sections,
)
from mmfmwsss.workshop.tables.row_order import Measurement

RESULT = TableResult(
    PAPER_TABLES[5],
    'PartWorld train, 3 seeds',
    {
        'L_BCE': Measurement((20.0, 20.0, 20.0)),
        'L_MCL': Measurement((41.75, 40.75, 41.25)),
        'L_MCL + L_CAL': Measurement((40.5, 39.5, 40.0)),
    },
    {'L_MCL': Cost(61.4, 512.0, shared=True)},
    ['A remark.'],
    {'L_MCL': Coverage(60.04, 71.0)},
)


MCL = '| L_MCL | 71.5 | 41.2 ± 0.5 | 60.0 / 71.0 | 61 s, shared | 512 MiB |'


def test_markdown() -> None:
    page = markdown_tables('Tables', ['Preface.'], [RESULT])
    assert page.startswith('# Tables\n\nPreface.\n\n## Table 5: losses\n')
    assert MCL in page
    assert '| L_MCL + L_CE | 52.1 | not run |  |  |  |' in page
    assert "2 of 3 pairs of rows are in the paper's order." in page
    assert (
        '- L_MCL + L_CAL is not better than L_MCL: paper +2.7, here -1.2 '
        '(more than the spread)'
    ) in page
    assert page.endswith('A remark.\n')
    assert '\n\n\n' not in page


def test_precision_and_recall_only_where_they_are_known() -> None:
    without = replace(RESULT, coverages={})
    page = markdown_tables('Tables', [], [without])
    assert '|  | paper | here | time | memory |' in page
    assert '| L_MCL + L_CE | 52.1 | not run |  |  |' in page


def test_sections() -> None:
    table, prose = table_sections([RESULT])
    assert isinstance(table, Table)
    assert isinstance(prose, Prose)
    assert [cell.text for cell in table.cells[1]][3:] == [
        '60.0 / 71.0',
        '61 s, shared',
        '512 MiB',
    ]
    best = [row[0].text for row in table.cells if row[2].highlight]
    assert best == ['L_MCL']
    assert 'PartWorld train, 3 seeds' in table.caption
    assert len(prose.items) == 1
    assert prose.paragraphs[-1] == 'A remark.'
