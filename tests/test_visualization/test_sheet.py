# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pictures are arranged in a table."""

import numpy as np
import pytest

from mmfmwsss.visualization import picture_sheet

IMAGE = np.full((4, 6, 3), 100, np.uint8)


def test_picture_sheet() -> None:
    sheet = picture_sheet([[IMAGE, IMAGE]] * 3, ['a', 'b'], ['x', 'y', 'z'])
    assert sheet.dtype == np.uint8
    assert (sheet == 100).all(axis=2).sum() == 6 * 140 * 93  # 4 x 6 fitted
    with pytest.raises(ValueError, match='2 pictures in row 0.*got 1'):
        picture_sheet([[IMAGE]], ['a', 'b'], ['x'])
