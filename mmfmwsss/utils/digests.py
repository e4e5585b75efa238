# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Short hashes that tell what an output was made of, and that it is whole."""

import hashlib
import json
import os
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from .files import sha256_of

__all__ = [
    'OF_PICTURE',
    'digest_of',
    'digest_of_array',
    'digest_of_file',
    'digest_of_picture',
    'digest_of_weights',
]

OF_PICTURE = 'picture:'  # in front of what hashes one picture alone
_DIGITS = 16  # of a digest: 64 bits tell millions of files apart


def digest_of(value: Any) -> str:
    """Hash a value of types that JSON knows; keys may be in any order."""
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def digest_of_array(array: NDArray[Any]) -> str:
    """Hash the shape, the type and the values of an array."""
    digest = hashlib.sha256(f'{array.shape} {array.dtype}'.encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:_DIGITS]


def digest_of_file(path: str | os.PathLike[str] | None) -> str:
    """Hash the bytes of a file; empty where there is none."""
    if path is None or not os.path.isfile(path):
        return ''
    return sha256_of(path)[:_DIGITS]


def digest_of_picture(
    path: str | os.PathLike[str], size: tuple[int, ...]
) -> str:
    """Hash the bytes of a picture and its size in a run.

    Args:
        path (str | PathLike): The picture.
        size (tuple[int, ...]): Height and width that it was loaded with.

    Returns:
        str: Begins with :data:`OF_PICTURE`; empty where there is no file.
    """
    content = digest_of_file(path)
    return OF_PICTURE + digest_of([content, *size]) if content else ''


def digest_of_weights(*modules: nn.Module) -> str:
    """Hash the names and values of all that modules would save."""
    digest = hashlib.sha256()
    for module in modules:
        for name, tensor in module.state_dict().items():
            # Hash names and shapes too, as values alone could be regrouped.
            digest.update(f'{name} {tuple(tensor.shape)}'.encode())
            values = tensor.detach().cpu().contiguous().flatten()
            digest.update(values.view(torch.uint8).numpy().data)
    return digest.hexdigest()[:_DIGITS]
