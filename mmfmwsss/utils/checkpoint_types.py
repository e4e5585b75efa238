# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Types that a checkpoint may ask for, beside those of torch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from mmengine.logging import HistoryBuffer
from torch import serialization

from ..compat.checkpoints import history_buffer_method

__all__ = ['only_checkpoint_types']

_KINDS = 'biufc'  # of NumPy's types: numbers and truth values
_NUMPY_CORES = ('numpy.core.multiarray', 'numpy._core.multiarray')


@contextmanager
def only_checkpoint_types() -> Iterator[None]:
    """Let ``torch.load(weights_only=True)`` build these types and no others.

    What other packages have allowed is put aside: NumPy's own functions
    crash on crafted types, and ``getattr`` opens everything. Of NumPy this
    gives stand-ins, which accept numbers and arrays of numbers, of NumPy 1
    and 2.
    """
    before = serialization.get_safe_globals()
    # Put aside what other packages have allowed.
    serialization.clear_safe_globals()
    serialization.add_safe_globals(_types())
    try:
        yield
    finally:
        serialization.clear_safe_globals()
        serialization.add_safe_globals(before)


def _types() -> list[Callable[..., Any] | tuple[Any, str]]:
    return [
        HistoryBuffer,
        (history_buffer_method, 'builtins.getattr'),
        (_NumberArray, 'numpy.ndarray'),
        (_NumberType, 'numpy.dtype'),
        *((_empty_array, f'{core}._reconstruct') for core in _NUMPY_CORES),
        *((_number, f'{core}.scalar') for core in _NUMPY_CORES),
    ]


class _NumberType:
    """Stand in for ``numpy.dtype``, whose own state a file may not set.

    Crafted flags make NumPy take numbers for the addresses of objects.
    """

    def __init__(self, code: str, *_: Any) -> None:
        # Take numbers only, never objects or fields.
        dtype = np.dtype(code) if isinstance(code, str) else None
        if dtype is None or dtype.kind not in _KINDS or dtype.hasobject:
            raise ValueError(f'a type of numbers was expected, got {code!r}')
        self.dtype = dtype

    def __setstate__(self, state: Any) -> None:
        """Take the byte order of a pickled type, and nothing else."""
        order = state[1]
        if order not in ('<', '>', '|', '='):
            raise ValueError(f'the byte order is {order!r}')
        self.dtype = self.dtype.newbyteorder(order)


class _NumberArray(np.ndarray):
    """Stand in for an array while its pickle is read: it must be numbers."""

    def __new__(cls, *_: Any) -> '_NumberArray':
        """Make an empty one; the state brings all."""
        return np.ndarray.__new__(cls, (0,), np.uint8)

    def __setstate__(self, state: Any) -> None:
        """Take shape, type and content if they agree."""
        # Check each part before NumPy sees it.
        _, shape, number, in_columns, content = state
        if (
            not isinstance(number, _NumberType)
            or not isinstance(shape, tuple)
            or not all(isinstance(n, int) and n >= 0 for n in shape)
            or not isinstance(content, bytes)
        ):
            raise ValueError('an array of numbers was expected')
        dtype = number.dtype
        # its flag is a plain one: NumPy 1 refuses its own
        plain: Any = (1, shape, dtype, bool(in_columns), content)
        super().__setstate__(plain)

    def __reduce__(self) -> Any:
        """Pickle it again as what it is, a plain array."""
        return np.asarray(self).view(np.ndarray).__reduce__()


def _empty_array(*_: Any) -> _NumberArray:
    """Stand in for NumPy's function that makes what a state then fills."""
    return _NumberArray()


def _number(number: Any, content: Any) -> np.generic:
    """Stand in for NumPy's function that makes one number of its bytes."""
    if not isinstance(number, _NumberType) or not isinstance(content, bytes):
        raise ValueError('a number was expected')
    value: np.generic = np.frombuffer(content, number.dtype, count=1)[0]
    return value
