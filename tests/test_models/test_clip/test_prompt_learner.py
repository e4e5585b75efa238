# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Prompt layouts token by token, and what a checkpoint may hold."""

import hashlib

import open_clip
import pytest
import torch
from torch import Tensor

from mmfmwsss.datasets import CLASS_PROMPTS, ClassPrompts
from mmfmwsss.models.clip import (
    FrozenCLIP,
    LearnablePrompts,
    ManualPrompts,
)
from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop.tiny_models import random_clip

START, STOP, END = 49406, 269, 49407
CLASSES = ClassPrompts(
    classes=('cat', 'person'),
    foreground=('cat', 'person with clothes,people,human'),
    background=('sky', 'sea'),
)


@pytest.fixture(scope='module')
def clip() -> FrozenCLIP:
    return random_clip()


@pytest.mark.parametrize('position', ['end', 'front', 'middle'])
def test_end_token_as_in_the_official_code(
    clip: FrozenCLIP, position: str
) -> None:
    # In FMA-WSSS's code: with N = 16, 19 for a one-token name, 25 for the
    # longest name, 18 for an empty one.
    prompts = LearnablePrompts(clip, CLASSES, name_position=position)
    assert prompts.ends.tolist() == [19, 25, 19, 19]
    assert prompts.fixed.shape[1] == 26  # cut at the longest
    nameless = LearnablePrompts(
        clip, CLASSES, name_position=position, nameless_background=True
    )
    assert nameless.ends.tolist() == [19, 25, 18, 18]


def official_embeddings(
    clip: FrozenCLIP, name: str, context: Tensor, position: str
) -> tuple[Tensor, int]:
    """A prompt as the official code builds it, and where it ends.

    The text with placeholders is tokenised and embedded whole; prefix and
    suffix of the placeholders are kept, the name is moved by its length.
    """
    count = len(context)
    text = ' '.join(['X'] * count) + f' {name.replace("_", " ")}.'
    (ids,) = open_clip.tokenize([text])
    assert (ids[1 : 1 + count] == 343).all()
    table = clip.model.token_embedding.weight
    prefix, suffix = table[ids[:1]], table[ids[1 + count :]]
    length = len(open_clip.tokenize([name])[0].nonzero()) - 2 if name else 0
    label, rest = suffix[:length], suffix[length:]
    half = count // 2 if position == 'middle' else 0
    parts = {
        'end': [prefix, context, label, rest],
        'front': [prefix, label, context, rest],
        'middle': [prefix, context[:half], label, context[half:], rest],
    }[position]
    end = int((ids == END).nonzero())
    assert end == 1 + count + length + 1
    return torch.cat(parts), end


@pytest.mark.parametrize('table', ['voc12', 'coco14', 'coco14_official'])
@pytest.mark.parametrize('position', ['end', 'front', 'middle'])
def test_all_names_as_in_the_official_code(
    clip: FrozenCLIP, table: str, position: str
) -> None:
    names = CLASS_PROMPTS[table]
    prompts = LearnablePrompts(
        clip, names, class_specific=True, name_position=position,
        nameless_background=position != 'end',
    )  # fmt: skip
    background = names.background
    if position != 'end':
        background = ('',) * len(background)
    embeddings = prompts.embeddings()
    everything = [*names.foreground, *background]
    assert len(everything) == len(embeddings)
    assert len(everything) == (45 if table == 'voc12' else 103)
    assert max(prompts.ends) == 25  # 'person with clothes,people,human'
    for name, ours, end, context in zip(
        everything, embeddings, prompts.ends, prompts.context, strict=True
    ):
        theirs, last = official_embeddings(clip, name, context, position)
        assert end == last
        assert torch.equal(ours[: end + 1], theirs[: end + 1])


def test_class_specific_contexts_are_in_place(clip: FrozenCLIP) -> None:
    prompts = LearnablePrompts(
        clip, CLASSES, context_length=2, class_specific=True,
        name_position='front',
    )  # fmt: skip
    table = clip.model.token_embedding.weight
    x, context = prompts.embeddings().detach(), prompts.context.detach()
    assert torch.equal(x[0, 0], table[START])
    assert torch.equal(x[0, 2:4], context[0])  # cat: start, name, contexts
    assert torch.equal(x[0, 4], table[STOP])
    assert torch.equal(x[0, 5], table[END])
    assert torch.equal(x[2, 2:4], context[2])


@pytest.mark.parametrize('specific', [False, True])
@pytest.mark.parametrize('position', ['end', 'front', 'middle'])
def test_features_are_those_of_the_official_prompts(
    clip: FrozenCLIP, position: str, specific: bool
) -> None:
    prompts = LearnablePrompts(
        clip, CLASSES, class_specific=specific, name_position=position,
        nameless_background=True,
    )  # fmt: skip
    names = [*CLASSES.foreground, '', '']
    expected = []
    for row, name in enumerate(names):
        context = prompts.context[row] if specific else prompts.context
        x, end = official_embeddings(clip, name, context, position)
        assert len(x) == 77  # padded, as the official code's
        features = clip.encode_prompts(x[None], torch.tensor([end]))
        expected.append(features)
    torch.testing.assert_close(
        prompts(clip), torch.cat(expected), rtol=1e-4, atol=1e-6
    )


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


@pytest.mark.parametrize(
    ('text', 'number', 'std', 'specific'),
    [('真', 2763632353, 0.015, False), ('机', 3631188958, 0.0125, True)],
)
def test_initialisation_with_the_official_seeds(
    clip: FrozenCLIP, text: str, number: int, std: float, specific: bool
) -> None:
    """Their library seeds torch with the SHA-1 of a string, mod 2^32."""
    digest = hashlib.sha1(text.encode()).hexdigest()
    assert int(digest, 16) % 2**32 == number
    prompts = LearnablePrompts(
        clip, CLASSES, init_std=std, init_seed=number, class_specific=specific
    )
    with torch.random.fork_rng():
        torch.manual_seed(number)
        expected = torch.empty((4, 16, 16) if specific else (16, 16))
        torch.nn.init.normal_(expected, std=std)
    assert torch.equal(prompts.context, expected)


def test_checkpoints_of_other_prompts_are_refused(clip: FrozenCLIP) -> None:
    saved = LearnablePrompts(clip, CLASSES).state_dict()
    assert set(saved) == {'context', 'layout'}
    same = LearnablePrompts(clip, CLASSES, init_seed=5)
    same.load_state_dict(saved)
    assert torch.equal(same.context, saved['context'])
    other = LearnablePrompts(clip, CLASSES, name_position='front')
    with pytest.raises(UserInputError, match='name_position.* differs'):
        other.load_state_dict(saved)


def test_errors(clip: FrozenCLIP) -> None:
    with pytest.raises(ValueError, match="'end', 'front' or 'middle'"):
        LearnablePrompts(clip, CLASSES, name_position='back')
    with pytest.raises(ValueError, match='`context_length` >= 1, but got 0'):
        LearnablePrompts(clip, CLASSES, context_length=0)
    with pytest.raises(UserInputError, match='at most 77 tokens'):
        LearnablePrompts(clip, CLASSES, context_length=75)


@pytest.mark.parametrize('class_specific', [False, True])
def test_contexts_of_words_are_the_manual_prompt(
    clip: FrozenCLIP, class_specific: bool
) -> None:
    learnt = LearnablePrompts(
        clip,
        CLASSES,
        context_length=4,
        class_specific=class_specific,
        init_text='a photo of a',
    )
    manual = ManualPrompts(clip, CLASSES, templates=['a photo of a {}.'])
    torch.testing.assert_close(learnt(clip), manual(clip))
    # Each class has contexts of its own from then on.
    assert learnt.context.shape[:-1] == (
        (len(CLASSES.foreground) + len(CLASSES.background), 4)
        if class_specific
        else (4,)
    )
    assert learnt.context.is_contiguous()


def test_contexts_of_words_have_their_number(clip: FrozenCLIP) -> None:
    with pytest.raises(UserInputError, match='Set context_length=4'):
        LearnablePrompts(clip, CLASSES, init_text='a photo of a')


def test_nameless_backgrounds_do_not_start_alike(clip: FrozenCLIP) -> None:
    """The same words without a name would be one prompt, for good."""
    prompts = LearnablePrompts(
        clip,
        CLASSES,
        context_length=4,
        class_specific=True,
        name_position='front',
        nameless_background=True,
        init_text='a photo of a',
    )
    count = len(CLASSES.foreground)
    assert torch.equal(prompts.context[0], prompts.context[count - 1])
    background = prompts.context[count:].detach()
    assert len(background) > 1
    assert not torch.equal(background[0], background[1])
    assert not torch.equal(background[0], prompts.context[0])
