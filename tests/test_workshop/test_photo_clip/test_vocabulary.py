# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""ImageNet's names and broader ones."""

import pytest

from mmfmwsss.models.clip import photo_clip_names
from mmfmwsss.workshop.photo_clip import Vocabulary, build_vocabulary


@pytest.fixture(scope='module')
def vocabulary() -> Vocabulary:
    return build_vocabulary()


def test_every_class_has_a_name_of_its_own_or_shares_it(
    vocabulary: Vocabulary,
) -> None:
    assert vocabulary.members.shape == (1000, len(vocabulary.names))
    assert vocabulary.members.any(dim=1).all()
    assert vocabulary.members.any(dim=0).all()
    assert len(set(vocabulary.names)) == len(vocabulary.names)


@pytest.mark.parametrize(
    ('name', 'classes'),
    [
        ('tench', [0]),
        ('sunglasses', [836, 837]),  # twice in ImageNet
        ('sheep', [348, 349]),
        ('dog', list(range(151, 269))),
        ('pig', [341, 342, 343]),  # a class, and broader
        ('keyboard', [508, 810, 878]),
    ],
)
def test_members_by_hand(
    vocabulary: Vocabulary, name: str, classes: list[int]
) -> None:
    column = vocabulary.members[:, vocabulary.names.index(name)]
    assert column.nonzero()[:, 0].tolist() == classes


def test_no_people(vocabulary: Vocabulary) -> None:
    assert not {'person', 'man', 'woman', 'child'} & {*vocabulary.names}


def test_the_record_has_these_names(vocabulary: Vocabulary) -> None:
    assert photo_clip_names() == vocabulary.names
