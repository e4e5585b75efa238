# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Take arrays of numpy or torch, and give back the kind that was given."""

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .errors import UserInputError

__all__ = [
    'Array',
    'ArrayLike',
    'as_multi_hot',
    'as_tensor',
    'give_back',
]

ArrayLike: TypeAlias = Tensor | NDArray[Any] | Sequence[Any]
# What comes back is of the kind that went in.
Array = TypeVar('Array', Tensor, NDArray[Any])


def as_tensor(values: ArrayLike, name: str) -> Tensor:
    """Turn an array into a tensor; a tensor stays as it is.

    Args:
        values (ArrayLike): Tensor, ndarray, or lists of numbers.
        name (str): Of the argument, for the message.

    Returns:
        Tensor: On the CPU, with the memory of an ndarray where torch can
        use that.

    Raises:
        UserInputError: If it holds anything but numbers, or rows that differ
            in length.

    Example:
        >>> as_tensor(np.array([[1, 2]], np.int32), 'classes')
        tensor([[1, 2]], dtype=torch.int32)
    """
    if isinstance(values, Tensor):
        return values
    try:
        array = np.asarray(values)
        if array.dtype.kind not in 'biuf':
            raise TypeError(f'its values are of type {array.dtype}')
        # Copy what torch cannot use: reversed, read-only or swapped bytes.
        native = array.dtype.newbyteorder('=')
        return torch.from_numpy(np.require(array, native, ['C', 'A', 'W']))
    except (TypeError, ValueError) as error:
        raise UserInputError(
            f'Expected `{name}` as numbers in an array of numpy or torch, '
            f'but got a {type(values).__name__} ({error}).'
        ) from error


def as_multi_hot(labels: ArrayLike, name: str = 'labels') -> Tensor:
    """Read multi-hot labels of any type of number.

    Args:
        labels (ArrayLike): Bool, or 0 and 1 of any type, (..., C).
        name (str): Of the argument, for the message.

    Returns:
        Tensor: Bool, (..., C).

    Raises:
        UserInputError: If there is another value than 0 and 1.

    Example:
        >>> as_multi_hot([[1.0, 0.0]])
        tensor([[ True, False]])
    """
    values = as_tensor(labels, name)
    if values.dtype == torch.bool:
        return values
    # Refuse class indices and soft labels, by the first such value.
    other = (values != 0) & (values != 1)
    if other.any():
        place = other.nonzero()[0].tolist()
        raise UserInputError(
            f'Expected `{name}` to be multi-hot, 0 or 1 for each class, but '
            f'got {values[tuple(place)].item():g} at {place}. Indices become '
            'multi-hot by labels[numpy.arange(N), indices] = 1.'
        )
    return values.bool()


def give_back(result: Tensor, given: Array) -> Array:
    """Give a result as the kind of array that was given.

    Args:
        result (Tensor): Of any shape.
        given (Tensor | ndarray): The first argument of the caller.

    Returns:
        Tensor | ndarray: The result, as ndarray unless a tensor was given.
    """
    if isinstance(given, Tensor):
        return result
    return cast(Array, result.detach().cpu().numpy())
