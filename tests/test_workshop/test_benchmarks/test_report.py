# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The summary has a line a case and way, and a column a number of threads."""

from typing import Any

from mmfmwsss.workshop.benchmarks import Row, report
from mmfmwsss.workshop.benchmarks.report import summary_table
from mmfmwsss.workshop.benchmarks.timing import Timing


def _row(threads, seconds):
    ours = Timing(seconds, seconds, seconds, 2.0, 0.1, 300, 3)
    theirs = ours._replace(wall=3.0, system=0.0, peak_mb=400)
    return Row('CRF', '', threads, dict(ours=ours, loop=theirs)).as_dict()


def test_summary_by_hand():
    alone = Row('files', '', 1, notes=dict(few=3)).as_dict()
    found: dict[str, dict[str, Any]] = dict(
        d=dict(rows=[_row(1, 2.0), _row(2, 0.5), alone]),
        e=dict(title='', state='failed with code 9'),
    )
    lines = summary_table(found).splitlines()
    assert lines[0].startswith(
        '| case | way | 1 thread: time | 1 thread: over'
    )
    assert lines[2:] == [
        '| CRF | ours | 2 s |  | 5% | 300 | 500 ms |  | 5% | 300 |',
        '| CRF | loop | 3 s | 1.50 | 0% | 400 | 3 s | 6.00 | 0% | 400 |',
    ]


def test_no_rows_no_summary():
    assert summary_table({}) == ''
    text = report(dict(e=dict(title='runs', state='failed with code 9')))
    assert '## (e) runs' in text
    assert 'failed with code 9.' in text


def test_two_comparisons_may_have_a_case_of_one_name() -> None:
    """The roofline times the prompt step once more."""
    found: dict[str, dict[str, Any]] = dict(
        d=dict(rows=[_row(1, 2.0)]), h=dict(rows=[_row(1, 0.5)])
    )
    lines = summary_table(found).splitlines()[2:]
    assert [line.split(' | ')[2] for line in lines] == [
        '2 s',
        '3 s',
        '500 ms',
        '3 s',
    ]
