# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Lists of failures by hand: each file is named once."""

import pytest

from mmfmwsss.evaluation.metrics.failures import (
    column_of,
    describe_failure,
    list_failures,
)
from mmfmwsss.utils import UserInputError


def test_a_list_by_hand() -> None:
    failures = [
        ('/data/a.jpg', 'Expected a picture in /data/a.jpg.'),
        ('/data/b.jpg', 'KeyError: 3'),
        ('c', 'Expected masks in /masks/c.json.'),
        ('d', 'Expected masks in /masks/dd.json.'),
    ]
    assert list_failures(failures, 9, 'failed and have no result') == (
        '4 of 9 images failed and have no result:\n'
        '  Expected a picture in /data/a.jpg.\n'
        '  /data/b.jpg: KeyError: 3\n'
        '  Expected masks in /masks/c.json.\n'
        '  d: Expected masks in /masks/dd.json.'
    )


@pytest.mark.parametrize('separator', ['/', '\\'])
def test_every_line_names_its_file_once(separator: str) -> None:
    path = separator.join(['k', 'a.jpg'])
    for message in (f'Cannot read {path}', 'Cannot read it'):
        _, line = list_failures([(path, message)], 1, 'x').splitlines()
        assert line.count(path) == 1


@pytest.mark.parametrize(('count', 'lines'), [(0, 1), (50, 51), (51, 52)])
def test_thousands_are_cut(count: int, lines: int) -> None:
    failures = [(f'p{n}', 'no') for n in range(count)]
    found = list_failures(failures, 9999, 'failed').splitlines()
    assert len(found) == lines
    assert (found[-1] == '  and 1 more') is (count == 51)


def test_our_errors_speak_for_themselves() -> None:
    assert describe_failure(UserInputError('Mend it.')) == 'Mend it.'
    assert describe_failure(KeyError('a')) == "KeyError: 'a'"


def test_a_column_has_the_results_that_have_it() -> None:
    results = [dict(a=1), dict(b=2), dict(a=None), {}]
    assert column_of(results, 'a') == [1, None]
    assert column_of(iter(results), 'c') == []
