# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Manual prompts against open_clip's text tower, and wrong templates."""

import open_clip
import pytest
import torch
import torch.nn.functional as F

from mmfmwsss.datasets import ClassPrompts
from mmfmwsss.models.clip import FrozenCLIP, ManualPrompts
from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop.tiny_models import random_clip

CLASSES = ClassPrompts(
    classes=('cat', 'person'),
    foreground=('cat', 'person with clothes,people,human'),
    background=('sky', 'deep_sea'),
)
NAMES = ['cat', 'person with clothes,people,human', 'sky', 'deep sea']


@pytest.fixture(scope='module')
def clip() -> FrozenCLIP:
    return random_clip()


def test_the_default_is_clip_es(clip: FrozenCLIP) -> None:
    ids = open_clip.tokenize([f'a clean origami {name}.' for name in NAMES])
    expected = F.normalize(clip.model.encode_text(ids), dim=1)
    features = ManualPrompts(clip, CLASSES)(clip)
    torch.testing.assert_close(features, expected, rtol=1e-4, atol=1e-6)
    assert not features.requires_grad


def test_templates_are_averaged(clip: FrozenCLIP) -> None:
    templates = [
        'a photo of a {}.',
        'a clean origami {}.',
        'the {} in a large picture of many other things',
    ]
    each = []
    for template in templates:
        ids = open_clip.tokenize([template.format(name) for name in NAMES])
        each.append(F.normalize(clip.model.encode_text(ids), dim=1))
    expected = F.normalize(torch.stack(each).mean(dim=0), dim=1)
    features = ManualPrompts(clip, CLASSES, templates=templates)(clip)
    torch.testing.assert_close(features, expected, rtol=1e-4, atol=1e-6)


def test_nothing_is_learnt_or_saved(clip: FrozenCLIP) -> None:
    prompts = ManualPrompts(clip, CLASSES)
    assert not list(prompts.parameters())
    assert not prompts.state_dict()


@pytest.mark.parametrize(
    ('templates', 'message'),
    [
        ([], 'to be a list'),
        ('a photo of a {}.', 'to be a list'),
        (['a photo.'], "every template, but got 'a photo.'"),
        (['{} and {}'], 'one `{}`'),
        (['very ' * 70 + '{}'], 'at most 77 tokens.*has 79'),
    ],
)
def test_errors(clip: FrozenCLIP, templates: list[str], message: str) -> None:
    with pytest.raises(UserInputError, match=message):
        ManualPrompts(clip, CLASSES, templates=templates)
