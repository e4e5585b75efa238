# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What a checkpoint must hold to be taken: all weights, numbers, classes."""

from typing import Any

import pytest
import torch
from mmseg.models.segmentors import SegTTAModel
from torch import Tensor, nn

from mmfmwsss.models.segmentors import checkpoint_fit
from mmfmwsss.models.segmentors.checkpoint_fit import (
    check_classes,
    check_start,
    check_weights,
    weights_of,
)
from mmfmwsss.models.segmentors.checkpoint_keys import keep_plain_keys
from mmfmwsss.utils import UserInputError


class Network(nn.Module):
    def __init__(self, width: int = 4, classes: int = 3, depth: int = 3):
        super().__init__()
        self.backbone = nn.ModuleList(
            nn.Linear(width, width) for _ in range(depth)
        )
        self.norm = nn.BatchNorm1d(width)
        self.decode_head = nn.Linear(width, classes)

    def test_step(self, data: Any) -> None:
        """Is asked for by mmengine's wrapper."""


class Wrapped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.segmentor = Network()
        keep_plain_keys(self, 'segmentor')


def state(**sizes: int) -> dict[str, Tensor]:
    torch.manual_seed(7)
    return dict(Network(**sizes).state_dict())


def wrap(kind: str) -> nn.Module:
    if kind == 'refined':
        return Wrapped()
    return SegTTAModel(module=Network()) if kind == 'tta' else Network()


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is logged."""
    said: list[str] = []
    monkeypatch.setattr(
        checkpoint_fit, 'print_log', lambda text, **_: said.append(text)
    )
    return said


@pytest.mark.parametrize('kind', ['plain', 'refined', 'tta'])
def test_a_fitting_one_is_loaded(kind: str) -> None:
    model, weights = wrap(kind), state()
    check_weights(model, weights, 'a.pth')
    child = {'tta': 'module', 'refined': 'segmentor'}.get(kind)
    inner = getattr(model, child) if child else model
    for name, value in inner.state_dict().items():
        assert torch.equal(value, weights[name])


NO_HEAD = {k: v for k, v in state().items() if 'decode' not in k}
HALF = dict(list(state().items())[::2])


@pytest.mark.parametrize('kind', ['plain', 'refined', 'tta'])
@pytest.mark.parametrize(
    ('weights', 'expected'),
    [
        (state(classes=4), r'2 have another shape .*\(4, 4\).*\(3, 4\)'),
        (state(width=8), 'have another shape'),
        (NO_HEAD, r'2 of 13 are missing \(e\.g\. decode_head\.bias\)'),
        (HALF, r'\d of 13 are missing'),
        (state(depth=5), r'4 are unknown \(e\.g\. backbone\.3\.bias\)'),
        ({'streams.a.prompts.context': torch.ones(2)}, r'12 of 13 are miss'),
    ],
    ids=['classes', 'width', 'no head', 'half', 'deeper', 'prompts'],
)
def test_one_that_does_not_fit(
    kind: str, weights: dict[str, Tensor], expected: str
) -> None:
    with pytest.raises(UserInputError, match=expected) as caught:
        check_weights(wrap(kind), weights, 'a.pth')
    assert 'Expected the weights of Network in a.pth' in str(caught.value)
    assert '\n' not in str(caught.value)


def test_what_may_be_absent_or_left_over() -> None:
    weights = state()
    del weights['norm.num_batches_tracked']
    weights['auxiliary_head.weight'] = torch.ones(3)
    check_weights(Network(), weights, 'a.pth')


def test_one_of_two_sets_of_prompts(
    warnings: list[str],
) -> None:
    def prompts(*names: str) -> nn.Module:
        model = nn.Module()
        model.streams = nn.ModuleDict({n: nn.Linear(2, 2) for n in names})
        for name in names:
            layout = torch.zeros(3, dtype=torch.uint8)
            model.streams[name].register_buffer('layout', layout)
        return model

    both = prompts('classification', 'segmentation')
    one = dict(prompts('classification').state_dict())
    with pytest.raises(
        UserInputError, match=r'2 of 6 are missing .*segmentation'
    ):
        check_weights(both, one, 'prompts.pth')
    # a config that needs one set takes a file of two
    check_weights(prompts('segmentation'), dict(both.state_dict()), 'a.pth')
    assert not warnings
    del one['streams.classification.layout']  # files of old have none
    check_weights(prompts('classification'), one, 'prompts.pth')
    assert 'does not say for which classes' in warnings[0]


@pytest.mark.parametrize('content', [[], None, {}, dict(state_dict={})])
def test_nothing_in_it(content: Any) -> None:
    with pytest.raises(UserInputError, match='there are none'):
        weights_of(content, 'a.pth')


@pytest.mark.parametrize(
    'content',
    [dict(meta={}), {3: torch.ones(1)}, dict(state_dict=dict(a=[1.0]))],
)
def test_no_weights(content: Any) -> None:
    with pytest.raises(UserInputError, match='weights by their names'):
        weights_of(content, 'a.pth')


@pytest.mark.parametrize('odd', [float('nan'), float('inf'), -float('inf')])
@pytest.mark.parametrize('kind', [torch.float32, torch.float16, torch.cfloat])
def test_not_a_number(odd: float, kind: torch.dtype) -> None:
    value = torch.zeros(5, dtype=kind)
    value[2] = odd
    content = dict(state_dict={'a': torch.ones(2), 'b.c': value})
    with pytest.raises(UserInputError, match=r'1 of 5 values of b\.c'):
        weights_of(content, 'a.pth')


def test_names_of_a_wrapper() -> None:
    state = {'module.a': torch.ones(1), 'b.module.c': torch.ones(1)}
    assert list(weights_of(state, 'a.pth')) == ['a', 'b.module.c']


def test_a_training_may_have_a_new_head(
    warnings: list[str],
) -> None:
    model = Network(classes=9)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    check_start(model, state(), 'a.pth')
    assert 'has 10 of 12 weights of Network' in warnings[0]
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_training_may_start_from_a_backbone() -> None:
    check_start(wrap('refined'), NO_HEAD, 'a.pth')


@pytest.mark.parametrize(
    'weights',
    [
        state(width=8),
        {'context': torch.ones(2)},
        dict(list(NO_HEAD.items())[:4]),
    ],
    ids=['width', 'prompts', 'a third'],
)
def test_a_training_does_not_start_from_nothing(
    weights: dict[str, Tensor],
) -> None:
    with pytest.raises(UserInputError, match=r'it has \d of 12.*load_from'):
        check_start(Network(), weights, 'a.pth')


NAMES = ('background', 'cat', 'dining table')


@pytest.mark.parametrize(
    'meta',
    [
        dict(dataset_meta=dict(classes=NAMES)),
        dict(dataset_meta=dict(classes=['Background', 'Cat', 'dining_table'])),
        dict(CLASSES=NAMES),
    ],
)
def test_the_same_classes(meta: dict[str, Any], warnings: list[str]) -> None:
    check_classes(dict(meta=meta), NAMES, 'a.pth')
    assert not warnings


@pytest.mark.parametrize(
    ('trained', 'expected'),
    [
        (('background', 'dining table', 'cat'), "class 1 is 'dining table'"),
        (('cat', 'dining table', 'background'), "class 0 is 'cat' there"),
        (('background', 'cat'), "class 2 is 'none' there and 'dining table'"),
        ((*NAMES, 'dog'), "class 3 is 'dog' there and 'none' here"),
    ],
)
def test_other_classes(trained: tuple[str, ...], expected: str) -> None:
    checkpoint = dict(meta=dict(dataset_meta=dict(classes=trained)))
    with pytest.raises(UserInputError, match=expected):
        check_classes(checkpoint, NAMES, 'a.pth')


@pytest.mark.parametrize(
    'content',
    [{}, dict(meta=[]), dict(meta={}), dict(meta=dict(dataset_meta=None))],
)
def test_an_older_one_is_warned_about(
    content: dict[str, Any], warnings: list[str]
) -> None:
    check_classes(content, None, 'a.pth')  # a data set without classes
    assert not warnings
    check_classes(content, NAMES, 'a.pth')
    assert 'does not say which classes' in warnings[0]
