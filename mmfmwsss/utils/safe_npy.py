# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Read `.npy` files that hold a pickled dict, without running their code."""

import math
import os
import re
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from .errors import UserInputError
from .limits import MAX_CAM_BYTES, check_file_bytes
from .pickled_arrays import array_of, plain_dtype
from .safe_pickle import run_pickle

__all__ = ['load_npy']

_MAGIC = b'\x93NUMPY'
_MAX_HEADER = 10_000  # as numpy's own
_HEADER = re.compile(
    r"\{\s*'descr':\s*(?P<descr>'[^']*'|\[.*\]),"
    r"\s*'fortran_order':\s*(?P<fortran>True|False),"
    r"\s*'shape':\s*\((?P<shape>[0-9L, ]*)\),?\s*\}\s*",
    re.DOTALL,
)


class _Header(NamedTuple):
    """Header of a `.npy` file: shape, type and order.

    Attributes:
        descr (str): The dtype, as text.
        fortran (bool): Whether the first axis runs fastest.
        shape (tuple[int, ...]): The axes.
    """

    descr: str
    fortran: bool
    shape: tuple[int, ...]


def _read_header(file: BinaryIO) -> _Header:
    # Read the magic and the length of the header.
    start = file.read(8)
    if len(start) < 8 or not start.startswith(_MAGIC):
        raise ValueError('it is no .npy file')
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(file.read(width), 'little')
    if length > _MAX_HEADER:
        raise ValueError(f'its header claims {length} bytes')
    # Match the header's text; never evaluate it.
    match = _HEADER.fullmatch(file.read(length).decode('latin1'))
    if match is None:
        raise ValueError('its header is damaged')
    shape = match['shape'].replace('L', '').replace(' ', '')
    axes = tuple(int(n) for n in shape.split(',') if n)
    return _Header(match['descr'].strip("'"), match['fortran'] == 'True', axes)


def _read(file: BinaryIO, file_bytes: int) -> Any:
    header = _read_header(file)
    # Run a pickle by our own rules, never by numpy's.
    if header.descr in ('|O', 'O', '|O8', '|O4'):
        return run_pickle(file.read())
    dtype = plain_dtype(header.descr)
    # Believe the shape only where the file has as many bytes.
    needed = math.prod(header.shape) * dtype.itemsize
    there = file_bytes - file.tell()
    if needed > there:
        raise ValueError(
            f'its header claims {needed} bytes of {header.shape}, but '
            f'{there} follow'
        )
    content = file.read(needed)
    return array_of(content, dtype, header.shape, header.fortran)


def load_npy(path: str | os.PathLike[str]) -> Any:
    """Read a `.npy` file of an untrusted source.

    Args:
        path (str | PathLike): Plain array, or a pickled Python object made
            of dicts, lists, numbers, strings, numpy arrays and tensors.

    Returns:
        The array, or the object (not wrapped in a 0-d array).

    Raises:
        UserInputError: If the file is missing, is damaged, or its pickle
            wants anything else.
    """
    if not os.path.isfile(path):
        raise UserInputError(
            f'Expected a .npy file at {path}, but it is not there.'
        )
    # Read it, and name whatever goes wrong a fault of the file.
    count = check_file_bytes(path, MAX_CAM_BYTES)
    try:
        with open(path, 'rb') as file:
            found = _read(file, count)
    except Exception as error:  # a damaged pickle may raise anything
        raise UserInputError(
            f'Cannot read {path} safely: {str(error)[:200]}. Expected a .npy '
            'file with a dict of numpy arrays; write it again with np.save.'
        ) from error
    if isinstance(found, np.ndarray) and found.ndim == 0:
        return found.item()
    return found
