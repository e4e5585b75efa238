# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Ticks are round, and lines go through their values."""

import math
from itertools import pairwise

import pytest

from mmfmwsss.workshop.report import Chart, Curve
from mmfmwsss.workshop.report.plot import nice_ticks, plot


@pytest.mark.parametrize(
    ('low', 'high', 'expected'),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 99, [0, 20, 40, 60, 80, 100]),
        (-0.3, 0.4, [-0.4, -0.2, 0, 0.2, 0.4]),
        (0, 0.0019, [0, 0.0005, 0.001, 0.0015, 0.002]),
    ],
)
def test_ticks_by_hand(low, high, expected):
    assert nice_ticks(low, high) == pytest.approx(expected)


@pytest.mark.parametrize('low', [-1e6, -3.3, 0.0, 1e-9, 17.0])
@pytest.mark.parametrize('span', [0.0, 1e-7, 0.3, 12.0, 1e9])
def test_ticks_enclose_the_range(low, span):
    ticks = nice_ticks(low, low + span)
    assert ticks[0] <= low + 1e-9 * abs(low)
    assert ticks[-1] >= (low + span) - 1e-9 * (abs(low) + span)
    assert 2 <= len(ticks) <= 8
    steps = [b - a for a, b in pairwise(ticks)]
    rounding = 1e-15 * abs(low) + 1e-6 * min(steps)
    assert min(steps) > 0 and max(steps) - min(steps) <= rounding


def test_line_goes_through_the_values():
    drawn = plot(Chart('loss', [Curve('a', [0, 10, 20], [0.0, 1.0, 0.5])]))
    (line,) = drawn.lines
    points = [(p.x, p.y) for p in line.points]
    middle = (drawn.left + drawn.right) / 2
    assert points[0] == (drawn.left, drawn.bottom)
    assert points[1] == (middle, drawn.top)
    assert points[2] == (drawn.right, (drawn.top + drawn.bottom) / 2)
    assert line.path.startswith(f'M{drawn.left}') and line.path.count('L') == 2
    assert line.points[1].text == 'a: 1 at 10'
    assert drawn.summary == 'a from 0 to 0.5'


def test_what_is_not_finite_leaves_a_gap():
    values = [1.0, math.nan, 2.0, math.inf, 3.0]
    (line,) = plot(Chart('c', [Curve('a', range(5), values)])).lines
    assert line.path.count('M') == 3 and 'L' not in line.path
    assert 'nan' not in line.path and 'inf' not in line.path
    empty = plot(Chart('c', [Curve('a', [1], [math.nan])]))
    assert empty.lines[0].path == ''
    assert empty.summary == 'a: no value'


def test_one_value_and_many_values():
    assert len(plot(Chart('c', [Curve('a', [5], [2.0])])).lines[0].points) == 1
    many = plot(Chart('c', [Curve('a', range(500), range(500))])).lines[0]
    assert many.points == [] and many.path.count('L') == 499
