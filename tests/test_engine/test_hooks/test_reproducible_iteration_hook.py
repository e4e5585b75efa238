# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The model's randomness hangs on seed and iteration only."""

import random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from mmfmwsss.engine.hooks import (
    ReproducibleIterationHook,
    reproducible_iteration_hook,
)


def draw(seed: int, iteration: int) -> tuple[float, float, float]:
    runner: Any = SimpleNamespace(seed=seed, iter=iteration)
    ReproducibleIterationHook().before_train_iter(runner, 0)
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def test_it_is_a_function_of_seed_and_iteration() -> None:
    first = draw(5, 7)
    torch.rand(3)  # whatever happened before
    assert draw(5, 7) == first
    others = [draw(5, 8), draw(6, 7)]
    for other in others:
        assert all(a != b for a, b in zip(first, other, strict=True))


def test_processes_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    first = draw(5, 7)
    module = reproducible_iteration_hook
    monkeypatch.setattr(module, 'get_rank', lambda: 1)
    assert all(a != b for a, b in zip(first, draw(5, 7), strict=True))
