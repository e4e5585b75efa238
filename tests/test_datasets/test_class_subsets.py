# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Names choose labels or rename them."""

from typing import Any

import pytest

from mmfmwsss.datasets.class_subsets import kept_classes, select_classes
from mmfmwsss.utils import UserInputError

LABELS = ('background', 'cat', 'dog', 'cow')
COLOURS = [[n, n, n] for n in range(4)]


def select(**metainfo: Any) -> Any:
    return select_classes(LABELS, COLOURS, metainfo)


def test_all_labels() -> None:
    for metainfo in ({}, dict(classes=LABELS), dict(classes=list(LABELS))):
        content, label_map = select(**metainfo)
        assert tuple(content['classes']) == LABELS
        assert content['palette'] == COLOURS
        assert label_map is None
        assert kept_classes(label_map, LABELS[1:]) == LABELS[1:]


def test_some_labels_in_a_new_order() -> None:
    content, label_map = select(classes=('background', 'cow', 'cat'), more=1)
    assert label_map == {0: 0, 1: 2, 2: 255, 3: 1}
    assert content == dict(
        classes=('background', 'cow', 'cat'),
        palette=[[0, 0, 0], [3, 3, 3], [1, 1, 1]],
        more=1,
    )
    assert kept_classes(label_map, LABELS[1:]) == ('cow', 'cat')


def test_some_labels_with_colours_of_their_own() -> None:
    content, _ = select(classes=['dog'], palette=[[7, 7, 7]])
    assert content['palette'] == [[7, 7, 7]]


def test_other_names_rename() -> None:
    names = ['background', 'chat', 'chien', 'vache']
    content, label_map = select(classes=names)
    assert (content['classes'], label_map) == (names, None)
    assert content['palette'] == COLOURS


@pytest.mark.parametrize(
    ('names', 'message'),
    [
        ('cat', 'list of different names'),
        (['cat', 'cat'], 'list of different names'),
        ([], 'name some of the classes.*got 0 names'),
        (['cat', 'bird'], "got 2 names.*Correct 'bird'"),
        (['chat', 'chien', 'vache', 'veau'], 'begin with'),
        (['background', 'Background', 'dog', 'cow'], 'begin with'),
    ],
    ids=['text', 'twice', 'none', 'unknown', 'no background', 'backgrounds'],
)
def test_names_that_fit_nothing(names: Any, message: str) -> None:
    with pytest.raises(UserInputError, match=message):
        select(classes=names)


def test_seeds_have_their_background_first() -> None:
    for names in (['cat'], ['cat', 'background']):
        label_map = select(classes=names).label_map
        with pytest.raises(UserInputError, match='begin with'):
            kept_classes(label_map, LABELS[1:])
