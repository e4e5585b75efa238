# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Class names count the outputs of a network that is built by anyone."""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmseg.apis import init_model
from mmseg.models.segmentors import EncoderDecoder
from mmseg.registry import MODELS

from mmfmwsss.models.segmentors import NamedClassesEncoderDecoder
from mmfmwsss.models.segmentors.named_classes import fill_class_count
from mmfmwsss.utils import UserInputError

NAMES = dict(classes=['cat', 'dog'], background=['wall'])
HEAD = dict(
    type='FCNHead',
    in_channels=16,
    in_index=-1,
    channels=4,
    num_convs=1,
    num_classes='auto',
    loss_decode=dict(type='CrossEntropyLoss'),
)


def network(**changes: Any) -> dict[str, Any]:
    backbone = dict(
        type='ResNet',
        depth=18,
        base_channels=2,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
    )
    return dict(
        dict(
            type='NamedClassesEncoderDecoder',
            backbone=backbone,
            decode_head=HEAD,
            auxiliary_head=[dict(HEAD, num_classes=7), dict(HEAD)],
            class_prompts=NAMES,
        ),
        **changes,
    )


def test_heads_have_an_output_a_name_and_the_background() -> None:
    config = Config(dict(model=network()))
    model = MODELS.build(config.model)
    assert isinstance(model, NamedClassesEncoderDecoder)
    assert model.num_classes == model.decode_head.out_channels == 3
    assert [head.num_classes for head in model.auxiliary_head] == [7, 3]
    assert config.model.decode_head.num_classes == 'auto'


def test_it_computes_as_mmseg_does() -> None:
    torch.manual_seed(0)
    named = MODELS.build(network()).eval()
    plain = fill_class_count(network(type='EncoderDecoder'), NAMES)
    del plain['class_prompts']
    theirs = MODELS.build(plain).eval()
    assert type(theirs) is EncoderDecoder
    theirs.load_state_dict(named.state_dict())
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(named(images), theirs(images))


def test_it_can_be_refined() -> None:
    refined = MODELS.build(
        dict(
            type='RefinedSegmentor',
            segmentor=network(),
            refiner=dict(type='SAMS'),
        )
    )
    assert refined.num_classes == 3
    assert refined.probabilities == 'softmax'


def test_numbers_need_no_names() -> None:
    numbers = fill_class_count(network(), NAMES)
    assert numbers['decode_head']['num_classes'] == 3
    numbers['class_prompts'] = 'nowhere.yaml'
    assert fill_class_count(numbers, None) is numbers
    assert MODELS.build(numbers).num_classes == 3


@pytest.mark.parametrize(
    ('names', 'message'),
    [
        (None, r"num_classes='auto'.*class_prompts='classes\.yaml'"),
        ('nowhere.yaml', r'names of the classes in nowhere\.yaml.*work_dir'),
    ],
    ids=['none', 'missing'],
)
def test_names_that_are_not_found(
    names: str | None, message: str, tmp_path: Path
) -> None:
    """The error comes through mmseg's own function in one piece."""
    file = tmp_path / 'config.py'
    Config(dict(model=network(class_prompts=names))).dump(str(file))
    with pytest.raises(UserInputError, match=message):
        init_model(str(file), device='cpu')
