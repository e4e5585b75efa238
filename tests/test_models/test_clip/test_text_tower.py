# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Prompts in two parts against whole prompts, in values and gradients."""

import itertools

import pytest
import torch
from torch import Tensor

from mmfmwsss.models.clip import FrozenCLIP, LearnablePrompts
from mmfmwsss.structures.class_tables import get_class_prompts
from mmfmwsss.workshop.tiny_models import random_clip

CLASSES = get_class_prompts(
    dict(
        classes=['cat', 'potted plant', 'tv monitor screen', 'dog'],
        background=['sky', 'railroad track'],
    )
)


@pytest.fixture(scope='module')
def clip() -> FrozenCLIP:
    return random_clip()


def learnable(clip: FrozenCLIP, **settings: object) -> LearnablePrompts:
    prompts = LearnablePrompts(clip, CLASSES, context_length=4, **settings)
    with torch.no_grad():
        prompts.context.copy_(torch.randn_like(prompts.context))
    return prompts


def check(ours: Tensor, whole: Tensor, prompts: LearnablePrompts) -> None:
    torch.testing.assert_close(ours, whole, rtol=1e-5, atol=1e-6)
    weight = torch.randn_like(whole)
    grads = [
        torch.autograd.grad((x * weight).sum(), prompts.context)[0]
        for x in (ours, whole)
    ]
    assert (grads[0] - grads[1]).abs().max() < 1e-5 * grads[1].abs().max()


@pytest.mark.parametrize(
    ('specific', 'position', 'nameless'),
    list(
        itertools.product(
            (False, True), ('end', 'front', 'middle'), (False, True)
        )
    ),
)
def test_equals_the_whole_prompts(
    clip: FrozenCLIP, specific: bool, position: str, nameless: bool
) -> None:
    prompts = learnable(
        clip, class_specific=specific, name_position=position,
        nameless_background=nameless,
    )  # fmt: skip
    whole = clip.encode_prompts(prompts.embeddings(), prompts.ends)
    check(prompts(clip), whole, prompts)
    # what comes first is constant, or the same for all
    shared = not specific and position != 'front'
    assert len(prompts.starts) == (1 if shared else 6)
    if shared:
        assert prompts.starts > 1


@pytest.mark.parametrize('specific', [True, False])
def test_some_prompts(clip: FrozenCLIP, specific: bool) -> None:
    prompts = learnable(clip, class_specific=specific, name_position='front')
    rows = torch.tensor([4, 1])
    some = prompts(clip, rows)
    whole = clip.encode_prompts(prompts.embeddings(), prompts.ends)
    check(some[rows], whole[rows], prompts)
    assert not some[[0, 2, 3, 5]].any()


def test_of_77_tokens(clip: FrozenCLIP) -> None:
    """Positions of the padding would be beyond the table."""
    names = get_class_prompts(
        dict(classes=['cat', 'cat cat cat'], background=['sky'])
    )
    prompts = LearnablePrompts(
        clip, names, context_length=71, class_specific=True,
        name_position='front',
    )  # fmt: skip
    assert prompts.ends.max() == 76
    whole = clip.encode_prompts(prompts.embeddings(), prompts.ends)
    check(prompts(clip), whole, prompts)


def test_constant_starts_follow_a_test_run_and_the_dtype() -> None:
    clip = random_clip()
    prompts = learnable(clip, class_specific=True, name_position='front')
    with torch.inference_mode():
        first = prompts(clip)
    again = prompts(clip)
    again.sum().backward()  # starts made in a test serve training
    assert torch.equal(first, again)
    exact = prompts.double()(clip.double())
    torch.testing.assert_close(exact.float(), first, rtol=1e-5, atol=1e-6)
