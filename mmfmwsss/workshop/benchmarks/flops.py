# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Count arithmetic: that of matrix products, convolutions and attention."""

import contextlib
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

__all__ = ['count_flops']


def count_flops(way: Callable[[], Any]) -> int:
    """Count the arithmetic of a function.

    Args:
        way (Callable): A function without arguments.

    Returns:
        int: Additions and multiplications of its matrix products.

    Example:
        >>> a = torch.ones(2, 3)
        >>> count_flops(lambda: a @ a.T)
        24
    """
    counter = FlopCounterMode(display=False, custom_mapping=_onednn_counts())
    vars(counter)['mod_tracker'] = _NoModules()
    with counter:
        way()
    return int(counter.get_total_flops())


class _NoModules(contextlib.nullcontext[None]):
    """Count for no module apart: hooks of theirs refuse inner gradients."""

    parents = ('Global',)


def _onednn_counts() -> dict[Any, Callable[..., int]]:
    """Teach the counter the linear layer of oneDNN, which it does not know."""
    operator = getattr(torch.ops.mkldnn, '_linear_pointwise', None)
    if operator is None:
        return {}

    def count(x: Any, weight: Any, *_: Any, **__: Any) -> int:
        rows = 1
        for length in x[:-1]:
            rows *= length
        return int(2 * rows * weight[0] * weight[1])

    return {operator: count}
