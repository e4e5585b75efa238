# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Numbers arrive in the tables."""

import math

from mmfmwsss.workshop.report import find_runs
from mmfmwsss.workshop.report.run_tables import (
    NONE,
    class_table,
    learning_curves,
    number_table,
    score_table,
)


def test_class_table_by_hand():
    one: dict[str, dict[str, float | None]]
    one = {'cat': {'IoU': 30.0}, 'dog': {'IoU': 50.0}, 'cow': {'IoU': None}}
    two: dict[str, dict[str, float | None]]
    two = {'cat': {'IoU': 40.0}, 'dog': {'IoU': 10.0}, 'cow': {'IoU': None}}
    table = class_table('t', [('one', one), ('two', two)])
    assert list(table.columns) == ['Class', 'one, IoU %', 'two, IoU %']
    texts = [[cell.text for cell in row] for row in table.cells]
    assert texts == [
        ['cat', '30.0', '40.0'],
        ['dog', '50.0', '10.0'],
        ['cow', NONE, NONE],
        ['mean', '40.0', '25.0'],
    ]
    best = [[cell.highlight for cell in row] for row in table.cells]
    assert best == [
        [False, False, True],
        [False, True, False],
        [False, False, False],
        [False, True, False],
    ]
    assert table.cells[0][1].bar == 0.3
    assert math.isnan(table.cells[2][1].value)


def test_one_result_comes_with_precision_and_recall():
    scores = {'cat': {'IoU': 30.0, 'precision': 60.0, 'recall': 40.0}}
    table = class_table('t', [('one', scores)])
    assert [cell.text for cell in table.cells[0]] == [
        'cat', '30.0', '60.0', '40.0',
    ]  # fmt: skip
    assert not any(cell.highlight for row in table.cells for cell in row)


def test_curves_and_what_was_logged_once(training_run):
    (run,) = find_runs([training_run])
    section = learning_curves(run)
    assert [chart.title for chart in section.charts] == [
        'losses',
        'learning rate',
    ]
    losses = section.charts[0].curves
    assert [curve.name for curve in losses] == ['loss', 'loss_mcl']
    assert list(losses[0].steps) == [10, 20, 30]
    assert number_table([run]).rows == []
    table = score_table([], {}, [run])  # where an mIoU belongs
    (row,) = [[cell.text for cell in row] for row in table.cells]
    assert row == ['prompt', 'validation at 30', '31.00', *[NONE] * 6]
    assert table.numeric == [False, False, True, False, True, True] + 3 * [
        False
    ]


def test_nothing_logged(seed_run):
    (run,) = find_runs([seed_run])
    assert learning_curves(run) is None
