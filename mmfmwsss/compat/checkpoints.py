# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Before the pipeline: let torch >= 2.6 read mmengine's own checkpoints."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

__all__ = ['allow_mmengine_checkpoints', 'history_buffer_method']

_STATISTICS = ('current', 'max', 'mean', 'min')
_NUMBERS = (
    np.bool_, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16,
    np.uint32, np.uint64, np.float16, np.float32, np.float64,
)  # fmt: skip


def allow_mmengine_checkpoints() -> None:
    """Allow the types that a checkpoint of mmengine's runner holds.

    Beside tensors these are the log history (``HistoryBuffer``) and NumPy
    numbers and arrays of numbers. mmengine 0.10.7 calls ``torch.load``
    without ``weights_only``, so that it cannot resume from a file that it
    wrote itself. Files written under NumPy 1 and 2 name the
    same functions differently; both are allowed under either.
    """
    torch.serialization.add_safe_globals(_safe_globals())


def _safe_globals() -> list[Callable[..., Any] | tuple[Any, str]]:
    # Here, as the check of what is installed comes before any mm package.
    from mmengine.logging import HistoryBuffer

    # Find the rebuilders and types that this NumPy names in pickles.
    reconstruct = np.empty(0).__reduce__()[0]
    scalar = np.float64(0).__reduce__()[0]
    dtypes = {type(np.dtype(number)) for number in _NUMBERS}
    return [
        HistoryBuffer,
        (history_buffer_method, 'builtins.getattr'),
        (np.ndarray, 'numpy.ndarray'),
        (np.dtype, 'numpy.dtype'),
        *((reconstruct, f'{core}._reconstruct') for core in _numpy_cores()),
        *((scalar, f'{core}.scalar') for core in _numpy_cores()),
        *sorted(dtypes, key=str),
    ]


def _numpy_cores() -> tuple[str, str]:
    """List the modules in which NumPy 1 and 2 keep their rebuilders."""
    return 'numpy.core.multiarray', 'numpy._core.multiarray'


def history_buffer_method(owner: Any, name: str) -> Callable[..., Any]:
    """Stand in for ``getattr``, which pickles of a HistoryBuffer call.

    It names its statistics (``HistoryBuffer.mean``) so. The real ``getattr``
    would open all attributes of all allowed types to a crafted file.
    """
    from mmengine.logging import HistoryBuffer

    if owner is not HistoryBuffer or name not in _STATISTICS:
        raise ValueError(
            'Expected a checkpoint to look up public methods of '
            f'`HistoryBuffer` only, such as `mean`, but got {name!r} of '
            f'{owner!r}.'
        )
    method: Callable[..., Any] = getattr(HistoryBuffer, name)
    return method
