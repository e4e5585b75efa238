# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Images of several lists by hand; the order of lists does not matter."""

from itertools import permutations
from typing import Any

from mmfmwsss.workshop.dataset_checks import (
    ImageFiles,
    Source,
    check_lists,
    merge_images,
)


def files(image: str, **known: Any) -> ImageFiles:
    return ImageFiles(image, ('cat',), **known)


def source(name: str) -> Source:
    return Source(name, ('cat',), 'photos')


def test_an_image_has_all_that_any_list_knows_of_it() -> None:
    lists = [
        files('a', seg_map='a.png'),
        files('a', labels=('cat',), needs_label=True),
        files('a', xml='a.xml'),
    ]
    expected = files(
        'a',
        seg_map='a.png',
        xml='a.xml',
        labels=('cat',),
        needs_label=True,
    )
    for order in permutations(lists):
        assert merge_images([*order, files('b')]) == [expected, files('b')]


def test_labels_of_the_last_list_count_also_where_there_are_none() -> None:
    (found,) = merge_images([files('a', labels=('cat',)), files('a')])
    assert found.labels == ('cat',)
    (found,) = merge_images([found, files('a', labels=())])
    assert found.labels == ()


def test_what_train_shares_with_others_by_hand() -> None:
    a, b, c = (files(name) for name in 'abc')
    train, more = source('train'), source('train_aug')
    val, test = source('val'), source('test')
    found = check_lists(
        [(train, [a, b]), (more, [b]), (val, [b, c]), (test, [a, b])]
    )
    # Two trains may share; val and test are told by how their names begin
    assert [finding.example for finding in found] == [
        'b in train and val',
        'a in train and test',
        'b in train and test',
        'b in train_aug and val',
        'b in train_aug and test',
    ]
    assert {finding.kind for finding in found} == {'in train and in val'}
    assert check_lists([(train, [a]), (more, [a, b]), (val, [c])]) == []
