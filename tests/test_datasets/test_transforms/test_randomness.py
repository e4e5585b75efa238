# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A view is the same whatever was drawn before."""

import random

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub
from mmseg.registry import TRANSFORMS
from torch.utils.data import DataLoader, Dataset

from mmfmwsss.datasets.samplers import ReproducibleSampler
from mmfmwsss.structures.draw import Draw
from mmfmwsss.utils import UserInputError


def draws(index: object) -> tuple[float, ...]:
    transform = TRANSFORMS.build(dict(type='ReproducibleAugmentation'))
    results = transform(dict(sample_idx=index))
    assert results == dict(sample_idx=index)
    assert repr(transform) == 'ReproducibleAugmentation()'
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def test_all_generators_follow_the_draw() -> None:
    first = draws(Draw(3, view=1, seed=2))
    np.random.rand(5)
    assert draws(Draw(3, view=1, seed=2)) == first
    other = draws(Draw(3, view=2, seed=2))
    assert all(a != b for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize('index', [3, np.int64(3)], ids=['int', 'numpy'])
def test_a_plain_index_has_one_view(index: object) -> None:
    """As in ``dataset[3]``, in a notebook or in mmseg's browse_dataset."""
    assert draws(index) == draws(index) == draws(Draw(3))
    assert draws(index) != draws(4)


def test_a_training_without_workers_refuses_another_sampler() -> None:
    hub = MessageHub.get_instance('a training of another sampler')
    hub.update_info('loop_stage', 'train')
    with pytest.raises(UserInputError, match='got 3.*ReproducibleSampler'):
        draws(3)
    draws(Draw(3))
    hub.pop_info('loop_stage')
    draws(3)


class Indices(Dataset[float]):
    """Augmented by its one transform."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> float:
        return draws(index)[0]


def test_workers_refuse_another_sampler() -> None:
    loader = DataLoader(Indices(), num_workers=1)
    with pytest.raises(UserInputError, match='got 0.*ReproducibleSampler'):
        next(iter(loader))
    sampler = ReproducibleSampler(Indices(), shuffle=False, seed=0)
    loader = DataLoader(Indices(), sampler=sampler, num_workers=1)
    expected = [draws(Draw(index))[0] for index in range(4)]
    assert [float(value) for value in loader] == expected
