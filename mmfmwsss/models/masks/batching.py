# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Work in batches that shrink when the memory does not suffice."""

import logging
from collections.abc import Callable
from typing import TypeVar

import torch
from mmengine.logging import print_log
from torch import Tensor

__all__ = ['is_out_of_memory', 'map_in_batches']

Result = TypeVar('Result')


def is_out_of_memory(error: RuntimeError | MemoryError) -> bool:
    """Tell whether an error says that GPU or CPU memory ran out.

    torch has errors of its own for it; numpy's and Python's is MemoryError.
    """
    text = str(error)
    return (
        isinstance(error, MemoryError | torch.cuda.OutOfMemoryError)
        or 'not enough memory' in text
        or "can't allocate memory" in text
    )


def map_in_batches(
    function: Callable[[Tensor], Result], items: Tensor, batch_size: int
) -> list[Result]:
    """Call a function on batch after batch of rows.

    When a call runs out of memory the batch is halved, for it and all that
    follow, and the call is made again; nothing is skipped.

    Args:
        function (Callable): Takes rows (B, ...), must not keep state.
        items (Tensor): The rows, (N, ...).
        batch_size (int): Largest B.

    Returns:
        list: The results in order, of however many batches it took.

    Raises:
        RuntimeError: If the memory does not suffice for a single row.
    """
    results: list[Result] = []
    start = 0
    while start < len(items):
        # Run the next batch, if it fits into memory.
        batch = items[start : start + batch_size]
        try:
            results.append(function(batch))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or len(batch) == 1:
                raise
        else:
            start += len(batch)
            continue
        # Outside of the handler, so that the traceback's tensors are gone.
        batch_size = len(batch) // 2
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        print_log(
            f'Out of memory, going on with batches of {batch_size}',
            logger='current',
            level=logging.WARNING,
        )
    return results
