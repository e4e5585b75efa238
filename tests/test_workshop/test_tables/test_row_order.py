# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The order of rows against the paper's, worked by hand."""

from dataclasses import replace

import pytest

from mmfmwsss.workshop.tables.paper_tables import PaperTable, Row
from mmfmwsss.workshop.tables.row_order import Measurement, compare_order

TABLE = PaperTable(
    9,
    'a table',
    'a split',
    (
        Row('a', 10.0, 's', 'm'),
        Row('b', 12.0, 's', 'm'),
        Row('c', 15.0, 's', 'm'),
        Row('ours', None, 's', 'm'),
    ),
)


def figures(**means: float) -> dict[str, Measurement]:
    return {
        label: Measurement((mean - shift, mean, mean + shift))
        for shift, (label, mean) in zip(
            (0.3, 0.0, 0.5, 0.2), means.items(), strict=False
        )
    }


def test_mean_and_sample_deviation() -> None:
    figure = Measurement((30.0, 31.0, 35.0))
    assert figure.mean == pytest.approx(32.0)
    assert figure.spread == pytest.approx(7**0.5)  # (4 + 1 + 9) / 2
    assert str(figure) == '32.0 ± 2.6'
    assert str(Measurement((30.04,))) == '30.0'
    with pytest.raises(ValueError, match='a value or more'):
        Measurement(())


def test_differences_are_taken_seed_by_seed() -> None:
    # Seeds differ by tens, the rows always by one.
    one, other = (
        Measurement((20.0, 30.0, 40.0)),
        Measurement((21.0, 31.0, 41.0)),
    )
    assert one.minus(other).values == (-1.0, -1.0, -1.0)
    assert one.minus(Measurement((10.0,))).values == (10.0, 20.0, 30.0)
    assert Measurement((10.0,)).minus(one).values == (-10.0, -20.0, -30.0)
    with pytest.raises(ValueError, match='3 and 2 values'):
        one.minus(Measurement((1.0, 2.0)))
    _, (pair,) = compare_order(TABLE, dict(a=other, b=one))
    assert (pair.ours, pair.clear) == (-1.0, True)


def test_rows_of_other_groups_are_not_compared() -> None:
    rows = tuple(replace(row, group=row.label) for row in TABLE.rows)
    table = replace(TABLE, rows=rows)
    assert compare_order(table, figures(a=7, b=6, c=5)) == (0, [])


def test_same_order_has_no_differing_pair() -> None:
    assert compare_order(TABLE, figures(a=1, b=2, c=3, ours=9)) == (3, [])


def test_differing_pairs_by_distance_in_the_paper() -> None:
    count, pairs = compare_order(TABLE, figures(a=5, b=5.2, c=5.1, ours=0))
    assert count == 3
    (pair,) = pairs
    assert (pair.better, pair.worse) == ('c', 'b')
    assert (pair.paper, pair.ours, pair.clear) == (3.0, -0.1, False)
    _, pairs = compare_order(TABLE, figures(a=7, b=6, c=5))
    assert [(p.better, p.worse) for p in pairs] == [
        ('c', 'a'),
        ('c', 'b'),
        ('b', 'a'),
    ]
    assert all(pair.clear for pair in pairs)


def test_one_seed_has_no_spread() -> None:
    one = dict(a=Measurement((2.0,)), b=Measurement((1.0,)))
    _, (pair,) = compare_order(TABLE, one)
    assert pair.clear is None


def test_a_tie_is_a_disagreement_and_a_missing_row_no_pair() -> None:
    count, pairs = compare_order(TABLE, figures(a=5, b=5))
    assert (count, len(pairs)) == (1, 1)
