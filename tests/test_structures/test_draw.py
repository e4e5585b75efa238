# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Draws through the wrappers of data sets, against plain indices."""

import pickle

import pytest

from mmfmwsss.structures.draw import Draw, DrawTable


def test_a_draw_is_its_index():
    draw = Draw(7, view=2, seed=3)
    assert draw == 7 and [*range(10)][draw] == 7 and hash(draw) == hash(7)
    assert (draw.view, draw.seed, draw.drawn) == (2, 3, 7)


@pytest.mark.parametrize('index', range(12))
def test_wrappers_find_the_image_and_keep_the_view(index):
    """RepeatDataset by %, ConcatDataset by -, a table for the balanced."""
    table = DrawTable([5, 5, 1, 0] * 3)
    draw = Draw(index, view=4, seed=6)
    for inner, expected in (
        (draw % 5, index % 5),
        (draw - 3, index - 3),
        (table[draw], [5, 5, 1, 0][index % 4]),
    ):
        assert inner == expected
        assert isinstance(inner, Draw)
        assert (inner.view, inner.seed, inner.drawn) == (4, 6, index)
        assert inner.randomness == draw.randomness


def test_every_view_has_its_own_randomness():
    seeds = {
        Draw(index, view, seed).randomness
        for index in range(5)
        for view in range(4)
        for seed in range(3)
    }
    assert len(seeds) == 60 and all(0 <= seed < 2**32 for seed in seeds)


def test_repeated_images_have_different_views():
    table = DrawTable([2, 2])
    first, second = table[Draw(0)], table[Draw(1)]
    assert isinstance(first, Draw) and isinstance(second, Draw)
    assert first == second == 2
    assert first.randomness != second.randomness


def test_plain_indices_stay_plain():
    table = DrawTable([4, 4, 7])
    assert type(table[2]) is int and table[1:] == [4, 7]


def test_it_travels_to_a_worker():
    draw = pickle.loads(pickle.dumps(Draw(3, 1, 2, 9)))
    assert (draw, draw.view, draw.seed, draw.drawn) == (3, 1, 2, 9)
