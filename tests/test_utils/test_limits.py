# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What files may claim: the limit itself passes, one more does not."""

import pytest

from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.limits import (
    MAX_MASK_PIXELS,
    MAX_MASKS,
    MAX_PIXELS,
    check_file_bytes,
    check_mask_room,
    checked_size,
)


def test_the_largest_size():
    assert checked_size(1, MAX_PIXELS, 'x') == (1, MAX_PIXELS)
    with pytest.raises(
        UserInputError, match='at most 178,956,970 pixels in x'
    ):
        checked_size(1, MAX_PIXELS + 1, 'x')


@pytest.mark.parametrize(
    'height', [0, -1, True, 2.0, '2', None, [2]], ids=repr
)
def test_what_is_no_size(height):
    with pytest.raises(UserInputError, match='height and width in pixels in'):
        checked_size(height, 4, 'x')
    with pytest.raises(UserInputError, match='height and width in pixels in'):
        checked_size(4, height, 'x')


def test_the_most_masks():
    check_mask_room(MAX_MASKS, (1, 1), 'x')
    check_mask_room(1, (1, MAX_MASK_PIXELS), 'x')
    check_mask_room(0, (9, 9), 'x')
    for count, size in ((MAX_MASKS + 1, (1, 1)), (2, (1, MAX_MASK_PIXELS))):
        with pytest.raises(UserInputError, match='Keep fewer masks'):
            check_mask_room(count, size, 'x')


def test_the_largest_file(tmp_path):
    file = tmp_path / 'a'
    file.write_bytes(b'12345')
    assert check_file_bytes(file, 5) == 5
    with pytest.raises(UserInputError, match='at most 4 bytes'):
        check_file_bytes(file, 4)
    with pytest.raises(UserInputError, match='not there'):
        check_file_bytes(tmp_path, 5)
