# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Prompt layouts token by token, and what a checkpoint may hold."""

import pytest
import torch

from mmfmwsss.datasets import ClassPrompts
from mmfmwsss.models.clip import (
    FrozenCLIP,
    LearnablePrompts,
    ManualPrompts,
    prompt_layout,
)
from mmfmwsss.testing.tiny_models import random_clip
from mmfmwsss.utils import UserInputError

START, STOP, END, CONTEXT = 49406, 269, 49407, -1
CLASSES = ClassPrompts(
    classes=('cat', 'person'),
    foreground=('cat', 'person with clothes,people,human'),
    background=('sky', 'sea'),
)


@pytest.fixture(scope='module')
def clip() -> FrozenCLIP:
    return random_clip()


@pytest.mark.parametrize(
    ('position', 'expected'),
    [
        ('end', [START, -1, -1, -1, -1, 7, 8, STOP, END]),
        ('front', [START, 7, 8, -1, -1, -1, -1, STOP, END]),
        ('middle', [START, -1, -1, 7, 8, -1, -1, STOP, END]),
    ],
)
def test_layout_by_hand(position: str, expected: list[int]) -> None:
    layout = prompt_layout([7, 8], 4, position, START, STOP, END)
    assert layout == expected


@pytest.mark.parametrize('position', ['end', 'front', 'middle'])
def test_end_token_as_in_the_official_code(
    clip: FrozenCLIP, position: str
) -> None:
    # facts/fma_wsss.md 2.2: with N = 16, 19 for a one-token name, 25 for the
    # longest name, 18 for an empty one.
    prompts = LearnablePrompts(clip, CLASSES, name_position=position)
    assert prompts.ends.tolist() == [19, 25, 19, 19]
    assert prompts.fixed.shape[1] == 26  # cut at the longest
    nameless = LearnablePrompts(
        clip, CLASSES, name_position=position, nameless_background=True
    )
    assert nameless.ends.tolist() == [19, 25, 18, 18]


def test_embeddings_are_assembled_in_place(clip: FrozenCLIP) -> None:
    prompts = LearnablePrompts(
        clip, CLASSES, context_length=2, class_specific=True,
        name_position='front',
    )  # fmt: skip
    seen = {}
    original = clip.encode_prompts

    def spy(embeddings: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
        seen['x'] = embeddings.detach()
        return original(embeddings, ends)

    clip.encode_prompts = spy  # type: ignore[method-assign]
    try:
        prompts(clip)
    finally:
        clip.encode_prompts = original  # type: ignore[method-assign]
    table = clip.model.token_embedding.weight
    x, context = seen['x'], prompts.context.detach()
    assert torch.equal(x[0, 0], table[START])
    assert torch.equal(x[0, 2:4], context[0])  # cat: start, name, contexts
    assert torch.equal(x[0, 4], table[STOP])
    assert torch.equal(x[0, 5], table[END])
    assert torch.equal(x[2, 2:4], context[2])


def test_only_the_context_learns(clip: FrozenCLIP) -> None:
    for specific in (False, True):
        prompts = LearnablePrompts(clip, CLASSES, class_specific=specific)
        learnt = [n for n, p in prompts.named_parameters() if p.requires_grad]
        assert learnt == ['context']
        text = prompts(clip)
        assert text.shape == (4, 16)
        torch.testing.assert_close(text.norm(dim=1), torch.ones(4))
        text[0].sum().backward()
        assert prompts.context.grad is not None
        if specific:
            assert not prompts.context.grad[1:].any()


def test_initialisation_is_seeded(clip: FrozenCLIP) -> None:
    make = lambda seed: LearnablePrompts(clip, CLASSES, init_seed=seed)  # noqa: E731
    assert torch.equal(make(1).context, make(1).context)
    assert not torch.equal(make(1).context, make(2).context)
    assert make(1).context.std().item() == pytest.approx(0.02, rel=0.15)


def test_checkpoints_of_other_prompts_are_refused(clip: FrozenCLIP) -> None:
    saved = LearnablePrompts(clip, CLASSES).state_dict()
    assert set(saved) == {'context', 'layout'}
    same = LearnablePrompts(clip, CLASSES, init_seed=5)
    same.load_state_dict(saved)
    assert torch.equal(same.context, saved['context'])
    other = LearnablePrompts(clip, CLASSES, name_position='front')
    with pytest.raises(UserInputError, match='name_position.* differs'):
        other.load_state_dict(saved)


def test_manual_prompts_are_averaged_over_templates(clip: FrozenCLIP) -> None:
    one = ManualPrompts(clip, CLASSES, templates=['a photo of a {}.'])(clip)
    two = ManualPrompts(clip, CLASSES, templates=['a clean origami {}.'])(clip)
    both = ManualPrompts(
        clip, CLASSES, templates=['a photo of a {}.', 'a clean origami {}.']
    )(clip)
    expected = torch.nn.functional.normalize(one + two, dim=1)
    torch.testing.assert_close(both, expected)


def test_errors(clip: FrozenCLIP) -> None:
    with pytest.raises(ValueError, match="'end', 'front' or 'middle'"):
        LearnablePrompts(clip, CLASSES, name_position='back')  # type: ignore[arg-type]
    with pytest.raises(UserInputError, match='at most 77 tokens'):
        LearnablePrompts(clip, CLASSES, context_length=75)
