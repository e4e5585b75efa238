# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Letters on pictures: where they are, and what is left alone."""

import numpy as np
import pytest

from mmfmwsss.visualization.texts import text_width, write_text


def test_letters_are_within_their_place_and_of_any_alphabet() -> None:
    blank = np.full((30, 120, 3), 255, np.uint8)
    shapes = set()
    for text in ('cat', 'Löwe', 'кот'):
        picture = blank.copy()
        write_text(picture, text, (10, 20), 14)
        dark = (picture < 128).all(axis=2)
        columns = np.flatnonzero(dark.any(axis=0))
        assert columns[0] >= 9
        assert columns[-1] <= 11 + text_width(text, 14)
        shapes.add(dark.tobytes())
    assert len(shapes) == 3
    with_rim = blank.copy()
    write_text(with_rim, 'cat', (10, 20), 14, (255, 255, 255), rim=(9, 9, 9))
    assert (with_rim == 9).all(axis=2).any()


def test_widths_add_up() -> None:
    assert text_width('', 20) == 0
    # No pair of these letters is drawn closer together
    for size in (10, 24):
        letters = sum(text_width(letter, 8 * size) for letter in 'mnmu')
        assert abs(text_width('mnmu', 8 * size) - letters) <= 2
        assert text_width('mnmu', 2 * size) == pytest.approx(
            2 * text_width('mnmu', size), abs=2
        )


@pytest.mark.parametrize('place', [(200, 20), (10, 100), (-90, 20)])
def test_what_is_outside_is_cut(place: tuple[int, int]) -> None:
    picture = np.full((30, 120, 3), 255, np.uint8)
    write_text(picture, 'cat', place, 14)
    assert (picture == 255).all()


def test_the_base_line_is_at_y() -> None:
    picture = np.full((40, 60, 3), 255, np.uint8)
    write_text(picture, 'mm', (5, 30), 20, colour=(200, 0, 0))
    rows = np.flatnonzero((picture != 255).any(axis=(1, 2)))
    assert rows[-1] in (29, 30) and rows[0] > 15
    # The colour is the letters', mixed with the ground at their edges
    assert (picture[..., 1] == picture[..., 2]).all()
    assert (picture == (200, 0, 0)).all(axis=2).any()
