# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Steps in bfloat16: rounded products, and weights that stay single."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmseg.registry import OPTIM_WRAPPERS
from torch import nn

import mmfmwsss  # noqa: F401  registers the wrapper


def wrap(
    model: nn.Module, kind: str = 'Bfloat16OptimWrapper', **settings: int
) -> OptimWrapper:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    wrapper: OptimWrapper = OPTIM_WRAPPERS.build(
        dict(type=kind, optimizer=optimizer, **settings)
    )
    return wrapper


def make_line() -> nn.Linear:
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 1 + 2**-12)  # bfloat16 rounds it to 1
    return model


def test_a_step_by_hand() -> None:
    model = make_line()
    wrapper = wrap(model)
    with wrapper.optim_context(model):
        output = model(torch.tensor([[3.0]]))
    assert output.dtype == torch.bfloat16 and output.item() == 3
    wrapper.update_params(output.sum().float())
    # The gradient is 3; the weight itself was not rounded
    assert model.weight.dtype == torch.float32
    assert model.weight.item() == 1 + 2**-12 - 0.5 * 3


def test_outside_of_a_step_nothing_is_rounded() -> None:
    model = make_line()
    wrapper = wrap(model)
    with wrapper.optim_context(model):
        assert torch.is_autocast_enabled('cpu')
    assert not torch.is_autocast_enabled('cpu')
    assert model(torch.tensor([[3.0]])).item() == 3 * (1 + 2**-12)


@pytest.mark.parametrize('counts', [2, 4])
def test_gradients_are_accumulated_as_in_single_precision(
    counts: int,
) -> None:
    """Whole numbers and their halves are exact in both."""
    weights = []
    for kind in ('Bfloat16OptimWrapper', 'OptimWrapper'):
        model = nn.Linear(1, 1, bias=False)
        nn.init.constant_(model.weight, 2.0)
        wrapper = wrap(model, kind, accumulative_counts=counts)
        wrapper.initialize_count_status(model, 0, 2 * counts)
        for number in range(2 * counts):
            with wrapper.optim_context(model):
                loss = model(torch.tensor([[4.0 * number]])).sum()
            wrapper.update_params(loss.float())
        weights.append(model.weight.item())
    # Half of the mean of 0, 4, 8, ... in each of two steps
    assert weights == [2 - 4 * (2 * counts - 1) / 2] * 2


class Parallel(nn.Linear):
    """Count the steps whose gradients are not exchanged."""

    kept = 0

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        self.kept += 1
        yield


def test_gradients_are_exchanged_once_a_step() -> None:
    model = Parallel(1, 1)
    wrapper = wrap(model, accumulative_counts=3)
    wrapper.initialize_count_status(model, 0, 6)
    for _ in range(6):
        with wrapper.optim_context(model):
            loss = model(torch.ones(1, 1)).sum()
        wrapper.update_params(loss.float())
    assert model.kept == 4
