# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A view is the same whatever was drawn before."""

import random

import numpy as np
import pytest
import torch
from mmseg.registry import TRANSFORMS

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


def test_another_sampler_is_refused() -> None:
    with pytest.raises(UserInputError, match='got 3.*ReproducibleSampler'):
        draws(3)
