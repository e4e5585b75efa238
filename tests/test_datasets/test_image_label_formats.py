# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Rows of label files by hand, and what is no label."""

import json
from pathlib import Path
from typing import Any

import pytest

from mmfmwsss.datasets.image_label_formats import json_rows, text_rows
from mmfmwsss.utils import UserInputError

FILE = Path('labels.txt')
CLASSES = ('cat', 'traffic light', 'traffic light pole', 'New York')


def rows_of(text: str) -> list[Any]:
    return list(text_rows(FILE, text, CLASSES))


def entries_of(content: Any) -> list[Any]:
    return list(json_rows(FILE, json.dumps(content)))


@pytest.mark.parametrize(
    ('line', 'name', 'classes'),
    [
        ('a.jpg cat New York cat', 'a.jpg', ['cat', 'New York', 'cat']),
        ('a traffic light pole', 'a', ['traffic light pole']),
        ('a traffic light cat', 'a', ['traffic light', 'cat']),
        ('a traffic_light_pole', 'a', ['traffic light pole']),
        ('a traffic lights', 'a', ['traffic', 'lights']),
        ('"my photo.jpg" cat', 'my photo.jpg', ['cat']),
        ('my photo.jpg\ttraffic light\t\t cat ', 'my photo.jpg',
         ['traffic light', 'cat']),
        ('a', 'a', []),
        ('a\t', 'a', []),
    ],
)  # fmt: skip
def test_one_line(line: str, name: str, classes: list[str]) -> None:
    assert rows_of(line) == [('line 1', name, classes)]


def test_lines_keep_their_numbers() -> None:
    assert [where for where, _, _ in rows_of('a\n\n  \nb cat\n')] == [
        'line 1',
        'line 4',
    ]
    with pytest.raises(UserInputError, match=r'line 2 of labels\.txt'):
        rows_of('a cat\n"" ""\n')


@pytest.mark.parametrize('separator', [' ', '\t'])
def test_classes_that_are_joined_are_split_again(separator: str) -> None:
    names = [*CLASSES, *reversed(CLASSES)]
    line = separator.join(['a.jpg', *names])
    assert rows_of(line) == [('line 1', 'a.jpg', names)]


@pytest.mark.parametrize(
    'content',
    [
        {'a.jpg': ['cat'], 'b.jpg': []},
        [
            {'image': 'a.jpg', 'labels': ['cat']},
            {'file': 'b.jpg', 'tags': [], 'width': 3},
        ],
        [
            {'file_name': 'a.jpg', 'class': ['cat'], 'name2': 1},
            {'filename': 'b.jpg', 'label': []},
        ],
    ],
    ids=['object', 'list', 'other-keys'],
)
def test_entries(content: Any) -> None:
    assert entries_of(content) == [
        ('entry 1', 'a.jpg', ['cat']),
        ('entry 2', 'b.jpg', []),
    ]


@pytest.mark.parametrize(
    'content',
    [
        {'a.jpg': 'cat'},
        {'a.jpg': [1]},
        [['a.jpg', ['cat']]],
        [{'image': 3, 'labels': []}],
        [{'image': 'a.jpg'}],
        ['a.jpg'],
    ],
    ids=json.dumps,
)
def test_entries_that_are_no_labels(content: Any) -> None:
    with pytest.raises(UserInputError, match=r'entry 1 of labels\.txt'):
        entries_of(content)


COCO = dict(
    images=[
        dict(id=7, file_name='a.jpg'),
        dict(id=5, file_name='b.jpg'),
        dict(id=6, file_name='c.jpg'),
    ],
    categories=[dict(id=18, name='dog'), dict(id=1, name='cat')],
    annotations=[
        dict(image_id=5, category_id=1, segmentation=[[0, 0, 9, 9]]),
        dict(image_id=7, category_id=18, iscrowd=1),
        dict(image_id=5, category_id=18),
        dict(image_id=5, category_id=1),
    ],
)


def test_instances_of_coco() -> None:
    # c.jpg shows nothing; a class stands as often as it has instances
    assert entries_of(COCO) == [
        ('image a.jpg', 'a.jpg', ['dog']),
        ('image b.jpg', 'b.jpg', ['cat', 'dog', 'cat']),
    ]


@pytest.mark.parametrize(
    'changes',
    [
        dict(images=COCO['images'][:1]),
        dict(categories=COCO['categories'][:1]),
        dict(categories=[dict(id=18, name=3), dict(id=1, name='cat')]),
        dict(annotations=[dict(image_id=5)]),
        dict(annotations=3),
        dict(images=None),
    ],
    ids=[
        'no-image', 'no-class', 'number', 'no-category', 'count', 'nothing'
    ],
)  # fmt: skip
def test_instances_that_do_not_refer(changes: dict[str, Any]) -> None:
    with pytest.raises(UserInputError, match='Expected COCO instances'):
        entries_of({**COCO, **changes})
