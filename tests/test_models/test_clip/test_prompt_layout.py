# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Layouts of prompts by hand, and tokens against open_clip's tokenizer."""

import open_clip
import pytest

from mmfmwsss.models.clip.prompt_layout import (
    NamePosition,
    prompt_layout,
    tokenize_prompts,
)
from mmfmwsss.utils import UserInputError

START, STOP, END = 49406, 269, 49407
POSITIONS: list[NamePosition] = ['end', 'front', 'middle']
NAMES = ['cat', 'dining_table', '', 'person with clothes,people,human']


@pytest.mark.parametrize(
    ('position', 'expected'),
    [
        ('end', [START, -1, -1, -1, -1, 7, 8, STOP, END]),
        ('front', [START, 7, 8, -1, -1, -1, -1, STOP, END]),
        ('middle', [START, -1, -1, 7, 8, -1, -1, STOP, END]),
    ],
)
def test_layout_by_hand(position: NamePosition, expected: list[int]) -> None:
    assert prompt_layout([7, 8], 4, position, START, STOP, END) == expected


@pytest.mark.parametrize('position', POSITIONS)
@pytest.mark.parametrize('count', [0, 1, 16])
def test_contexts_taken_out_leave_the_name(
    position: NamePosition, count: int
) -> None:
    layout = prompt_layout([7, 8], count, position, START, STOP, END)
    assert layout.count(-1) == count
    assert [n for n in layout if n != -1] == [START, 7, 8, STOP, END]


@pytest.mark.parametrize('position', POSITIONS)
def test_tokens_are_open_clips_without_contexts(
    position: NamePosition,
) -> None:
    ids, ends = tokenize_prompts(NAMES, 0, position)
    words = [f'{name.replace("_", " ")}.' for name in NAMES]
    expected = open_clip.tokenize(words)[:, : ids.shape[1]]
    assert ids.equal(expected)
    assert [row[end] for row, end in zip(ids, ends, strict=True)] == [END] * 4
    # Cut at the longest: start, eight tokens, the full stop, the end
    assert ids.shape == (4, ends.max() + 1)


@pytest.mark.parametrize('position', POSITIONS)
def test_contexts_lengthen_every_prompt_alike(position: NamePosition) -> None:
    _, plain = tokenize_prompts(NAMES, 0, position)
    ids, ends = tokenize_prompts(NAMES, 5, position)
    assert (ends - plain).tolist() == [5] * 4
    assert (ids == -1).sum(1).tolist() == [5] * 4


def test_prompts_that_are_too_long() -> None:
    # Start, name, full stop and end leave 73 of 77
    assert tokenize_prompts(['cat'], 73, 'end')[0].shape == (1, 77)
    with pytest.raises(UserInputError, match='77.*longest has 78'):
        tokenize_prompts(['cat'], 74, 'end')
