# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Equality comes before times; the table holds what was measured."""

import time
from functools import partial

import pytest
import torch

from mmfmwsss.workshop.benchmarks import (
    COMPARISONS,
    Missing,
    Row,
    Settings,
    Unequal,
    measure,
    report,
)
from mmfmwsss.workshop.benchmarks.comparison import (
    check,
    rows_of_threads,
    table_of_rows,
)
from mmfmwsss.workshop.benchmarks.suite import Comparison
from mmfmwsss.workshop.benchmarks.timing import (
    Timing,
    peak_megabytes,
    reset_peak,
    take_turns,
    threads,
)


def test_ways_take_turns_and_the_warm_up_is_left_out():
    order = []

    def slow():
        order.append('b')
        time.sleep(0.01)

    ways = dict(a=partial(order.append, 'a'), b=slow)
    times = take_turns(ways, repeats=2)
    assert order == ['a', 'b'] * 3
    assert times['a'].repeats == times['b'].repeats == 2
    assert times['a'].wall < 0.01 <= times['b'].fastest
    assert times['b'].fastest <= times['b'].wall <= times['b'].slowest
    assert times['b'].cpu < 0.01  # a sleep costs none


def test_a_timing_is_of_medians():
    found = Timing.of([(1, 10, 5), (4, 40, 6), (3, 20, 7)], peak_mb=9)
    assert found == Timing(3, 1, 4, 20, 6, 9, 3)


def test_the_peak_is_that_since_the_reset():
    reset_peak()
    before = peak_megabytes()
    buffer = torch.ones(1 << 26)
    assert peak_megabytes() > before + 200
    del buffer


def test_threads_are_set_back():
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


@pytest.mark.parametrize('difference', [2e-3, float('nan')])
def test_unequal_results_are_refused(difference):
    with pytest.raises(Unequal, match='maps differ'):
        check('maps', difference, limit=1e-3)
    assert check('maps', 0.0, limit=1e-3) == 'maps equal'


def test_each_number_of_threads_has_its_row():
    ways = dict(ours=lambda: None, theirs=lambda: time.sleep(0.002))
    rows = list(rows_of_threads('nothing', 'equal', ways, 1, (1, 2)))
    assert [row.threads for row in rows] == [1, 2]
    assert rows[0].ratios()['theirs'] > 1
    table = table_of_rows(rows)
    assert table.count('| nothing |') == 4
    assert table.count('- nothing: equal.') == 1


def _row(settings):
    one, two = Timing(1, 1, 1, 1, 0.5, 100, 1), Timing(3, 3, 3, 3, 0, 200, 1)
    return [Row('case', 'maps equal', 1, dict(ours=one, theirs=two))]


def _unequal(settings):
    raise Unequal('maps differ')


def _missing(settings):
    raise Missing('no weights')


def _breaking(settings):
    yield from _row(settings)
    raise ZeroDivisionError('in the second row')


def test_the_report_says_what_was_found(monkeypatch):
    runs = dict(w=_breaking, x=_row, y=_unequal, z=_missing)
    for letter, run in runs.items():
        monkeypatch.setitem(COMPARISONS, letter, Comparison(letter, run))
    told = []
    found = {
        letter: measure(letter, Settings(), lambda *told_: told.append(told_))
        for letter in runs
    }
    # Each row is told at once, and kept if a later one fails
    assert [len(result['rows']) for result, _ in told] == [1, 1]
    assert told[0][0]['state'].startswith('failed: ')
    assert found['w']['rows'] == found['x']['rows']
    assert (
        found['w']['state'] == 'failed: ZeroDivisionError: in the second row'
    )
    assert found['x']['state'] == 'measured'
    assert found['x']['rows'][0]['ratios'] == {'theirs': 3.0}
    assert found['x']['rows'][0]['times']['ours']['peak_mb'] == 100
    assert found['y']['rows'] == found['z']['rows'] == []
    text = report(found)
    assert '| case | 1 | theirs | 3 s |' in text
    assert '| 50% | 100 |' in text
    assert 'not equal: maps differ.' in text
    assert 'failed: ZeroDivisionError: in the second row.' in text
    assert 'left out: no weights.' in text
    assert f'- torch: {torch.__version__.split("+")[0]}' in text
