# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Rows of the paper's tables that stand in several of them."""

import itertools

from mmfmwsss.workshop.tables.paper_tables import PAPER_TABLES


def test_every_row_is_measured_in_one_way() -> None:
    assert sorted(PAPER_TABLES) == [1, 2, 3, 4, 5]
    rows = [row for table in PAPER_TABLES.values() for row in table.rows]
    for one, other in itertools.combinations(rows, 2):
        same = (one.stage, one.metric) == (other.stage, other.metric)
        if same:  # the full model and M1 stand in several tables
            assert one.paper == other.paper
