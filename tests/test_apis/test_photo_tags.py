# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Tags that stand out: by hand, against a loop, and what is refused."""

import pytest
import torch
from torch.nn import functional as F

from mmfmwsss.apis.photo_tags import (
    PhotoSettings,
    check_tags,
    choose_classes,
    choose_tags,
    describe_unclear,
)
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.limits import MAX_CLASSES


@pytest.mark.parametrize('seed', range(5))
def test_tags_are_those_of_a_loop(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    text = F.normalize(torch.randn(12, 3, generator=generator), dim=1)
    values = torch.rand(12, generator=generator).sort(descending=True).values
    scores = {f'n{n}': float(v) for n, v in enumerate(values)}
    settings = PhotoSettings(
        (), (), least_score=0.3, most_alike=0.4, most_tags=3
    )
    taken: list[int] = []
    for n, score in enumerate(scores.values()):
        cosines = [float((text[n] * text[m]).sum()) for m in taken]
        if score >= 0.3 and all(c <= 0.4 for c in cosines):
            taken.append(n)
    expected = tuple(f'n{n}' for n in taken[:3])
    assert choose_tags(scores, text, settings) == expected


def test_classes_by_hand() -> None:
    ranking = {'sea': 0.4, 'cat': 0.3, 'dog': 0.1, 'car': 0.0999}
    assert choose_classes(ranking, ['car', 'cat', 'dog']) == ('cat', 'dog')
    assert choose_classes(ranking, ['car']) == ()
    # No more than three, the best ones
    many = dict.fromkeys('dcba', 0.2)
    assert choose_classes(many, list('abcd')) == ('d', 'c', 'b')


def test_what_is_unclear_is_said() -> None:
    text = describe_unclear({'sea': 0.61, 'cat': 0.05, 'a': 0.04, 'b': 0.03})
    assert 'best are sea 0.61, cat 0.05, a 0.04. ' in text


def test_tags_are_stripped_and_taken_once() -> None:
    tags = [' cat', 'traffic  light\n', 'cat']
    assert check_tags(tags) == ('cat', 'traffic light')
    assert check_tags(check_tags(tags)) == check_tags(tags)


@pytest.mark.parametrize('tags', ['cat', [], ['cat', ' '], [3], ['a', None]])
def test_no_tags(tags: list[str]) -> None:
    with pytest.raises(UserInputError, match='a list of names'):
        check_tags(tags)


def test_a_seed_has_room_for_so_many() -> None:
    names = [str(n) for n in range(MAX_CLASSES)]
    assert len(check_tags(names)) == MAX_CLASSES
    with pytest.raises(UserInputError, match=f'got {MAX_CLASSES + 1}'):
        check_tags([*names, 'one more'])
