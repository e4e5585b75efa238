# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pictures are arranged in a table."""

import numpy as np
import pytest

from mmfmwsss.visualization import picture_sheet
from mmfmwsss.visualization.sheet import with_legend

COLOUR = (100, 90, 80)
IMAGE = np.full((4, 6, 3), COLOUR, np.uint8)


def test_picture_sheet() -> None:
    sheet = picture_sheet([[IMAGE, IMAGE]] * 3, ['a', 'b'], ['x', 'y', 'z'])
    assert sheet.dtype == np.uint8
    assert (sheet == COLOUR).all(axis=2).sum() == 6 * 140 * 93  # 4 x 6 fitted
    with pytest.raises(ValueError, match='2 pictures in row 0.*got 1'):
        picture_sheet([[IMAGE]], ['a', 'b'], ['x'])


def test_a_row_is_as_high_as_its_highest_picture() -> None:
    wide, high = np.zeros((40, 80, 3), np.uint8), np.zeros((80, 40, 3))
    low = picture_sheet([[wide, wide]], ['a', 'b'], [''], cell=160)
    assert low.shape[0] == 24 + 80 + 24
    rows = [[wide, wide], [wide, high.astype(np.uint8)]]
    sheet = picture_sheet(rows, ['a', 'b'], ['', ''], cell=160)
    assert sheet.shape[0] == 24 + 80 + 24 + 160 + 24
    # White between the rows, and the second one whole
    assert (sheet[24 + 80 : 24 + 80 + 24] == 255).all()
    assert (sheet[128:] == 0).all(axis=2).sum() == 160 * 80 + 160 * 80


def test_a_legend_has_a_line_for_each_name() -> None:
    picture = np.full((10, 80, 3), COLOUR, np.uint8)
    for line in (24, 36):
        legend = with_legend(picture, ['cat', 'é'], [(200, 0, 0)] * 2, line)
        assert legend.shape == (10 + 2 * line + 8, 80, 3)
        assert (legend[:10] == COLOUR).all()
        squares = (legend[10:] == (200, 0, 0)).all(axis=2)
        assert squares.sum() == 2 * line * (2 * line // 3)
