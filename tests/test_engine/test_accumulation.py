# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Small batches that add up, and mixed precision."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from mmengine.config import Config

Losses = dict[int, dict[str, float]]


def test_two_batches_of_two_are_one_of_four(
    prompt_config: Callable[..., Config],
    train: Callable[[Config], Losses],
    prompts_of: Callable[[Config, str], dict[str, Any]],
) -> None:
    at_once = prompt_config('once', iters=2, batch_size=4)
    parts = prompt_config('parts', iters=4, batch_size=2)
    parts.optim_wrapper.accumulative_counts = 2
    for config in (at_once, parts):
        config.param_scheduler = None  # they count iterations
    losses, halves = train(at_once), train(parts)
    for number, loss in losses.items():
        pair = [halves[2 * number + k] for k in (0, 1)]
        for key in ('loss_mcl', 'loss_cal'):
            mean = sum(half[key] for half in pair) / 2
            assert mean == pytest.approx(loss[key], rel=1e-5)
    ours = prompts_of(parts, 'iter_4.pth')
    start = prompts_of_fresh(at_once)
    for name, value in prompts_of(at_once, 'iter_2.pth').items():
        moved = (value - start[name]).abs().max()
        assert moved > 1e-4
        # rounding, and the kinks of L_CAL
        assert (ours[name] - value).abs().max() < 5e-3 * moved


def prompts_of_fresh(config: Config) -> dict[str, torch.Tensor]:
    """Contexts before the training."""
    from mmseg.registry import MODELS

    return dict(MODELS.build(config.model).named_parameters())


def test_bfloat16_follows_float32(
    prompt_config: Callable[..., Config],
    train: Callable[[Config], Losses],
    prompts_of: Callable[[Config, str], dict[str, Any]],
) -> None:
    full = prompt_config('full', iters=2)
    mixed = prompt_config('mixed', iters=2)
    mixed.optim_wrapper.type = 'Bfloat16OptimWrapper'
    expected, losses = train(full), train(mixed)
    for number in (0, 1):
        for key in ('loss_mcl', 'loss_cal'):
            value = losses[number][key]
            assert value == pytest.approx(expected[number][key], rel=0.1)
    assert losses != expected  # it was on
    start = prompts_of_fresh(full)
    for name, value in prompts_of(mixed, 'iter_2.pth').items():
        assert value.dtype == torch.float32
        moved = value - start[name]
        should = prompts_of(full, 'iter_2.pth')[name] - start[name]
        cosine = torch.nn.functional.cosine_similarity(
            moved.flatten(), should.flatten(), dim=0
        )
        assert cosine > 0.95, name
