# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Short hashes that tell what an output was made of, and that it is whole."""

import hashlib
import json
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .files import sha256_of

__all__ = ['DIGITS', 'digest_of', 'digest_of_array', 'digest_of_file']

DIGITS = 16  # of a digest: 64 bits tell millions of files apart


def digest_of(value: Any) -> str:
    """Hash a value of types that JSON knows; keys may be in any order."""
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def digest_of_array(array: NDArray[Any]) -> str:
    """Hash the shape, the type and the values of an array."""
    digest = hashlib.sha256(f'{array.shape} {array.dtype}'.encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:DIGITS]


def digest_of_file(path: str | os.PathLike[str] | None) -> str:
    """Hash the bytes of a file; empty where there is none."""
    if path is None or not os.path.isfile(path):
        return ''
    return sha256_of(path)[:DIGITS]
