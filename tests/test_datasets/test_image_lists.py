# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Split files by hand; what is written is read again."""

from pathlib import Path

import pytest

from mmfmwsss.datasets.image_lists import (
    below_root,
    list_lines,
    read_image_list,
)
from mmfmwsss.utils import UserInputError

LINES = """a
 b c.jpg\t

/JPEGImages/2007_1.jpg /SegmentationClassAug/2007_1.png
/data/d.jpg
e /f
"""


def test_lines_by_hand(tmp_path: Path) -> None:
    file = tmp_path / 'train.txt'
    file.write_text(LINES, encoding='utf-8-sig')
    expected = [
        (1, 'a'),
        (2, 'b c.jpg'),
        (4, '2007_1'),
        (5, '/data/d.jpg'),
        (6, 'e /f'),
    ]
    assert list_lines(file) == expected
    assert read_image_list(file) == [name for _, name in expected]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / 'train.txt'
    names = [f'folder {n % 3}/photo {n}' for n in range(50)]
    for end in ('\n', '\r\n', '\n\n'):
        file.write_text(end.join(names), newline='')
        assert read_image_list(file) == names


def test_wrong_lists(tmp_path: Path) -> None:
    file = tmp_path / 'train.txt'
    file.write_text('a\nb\n\na\n')
    assert [number for number, _ in list_lines(file)] == [1, 2, 4]
    with pytest.raises(UserInputError, match='a is on lines 1 and 4'):
        read_image_list(file)
    file.write_text(' \n\n')
    with pytest.raises(UserInputError, match='it is empty'):
        read_image_list(file)
    file.write_bytes(b'a\xff')
    with pytest.raises(UserInputError, match='UTF-8'):
        list_lines(file)


def test_lists_lie_below_the_data_or_in_the_package() -> None:
    assert below_root('data', 'lists/train.txt') == 'data/lists/train.txt'
    assert below_root('data', '/lists/train.txt') == '/lists/train.txt'
    assert below_root('data', '') is below_root('data', None) is None
    found = below_root('data', 'mmfmwsss://partworld.yaml')
    assert found is not None and Path(found).is_file()
    with pytest.raises(UserInputError, match='Correct its name'):
        below_root('data', 'mmfmwsss://no_such_list.txt')
