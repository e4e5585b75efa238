# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Read `.npy` files that hold a pickled dict, without running their code."""

import importlib
import io
import os
import pickle
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.lib import format as npy_format

from .errors import UserInputError

__all__ = ['load_npy']

# numpy 2 moved its internals; files of either version must load in both
_NUMPY_HOMES = ('numpy.core', 'numpy._core')
_NUMPY_INTERNALS = {
    ('multiarray', '_reconstruct'),
    ('multiarray', 'scalar'),
    ('numeric', '_frombuffer'),
}


def _load_storage(content: bytes) -> Any:
    """Storage of a tensor, by torch's own restricted unpickler."""
    return torch.load(io.BytesIO(content), weights_only=True)


def _encode_latin1(text: str, encoding: str = 'latin1') -> bytes:
    """What Python 2's protocols write for bytes."""
    if encoding.replace('-', '') not in ('latin1', 'iso88591'):
        raise pickle.UnpicklingError(f'encoding {encoding!r} is not allowed')
    return text.encode('latin1')


class _NumpyUnpickler(pickle.Unpickler):
    """Finds numpy's arrays, types and scalars and torch's tensors, only."""

    def find_class(self, module: str, name: str) -> Any:
        """Look a global name up, if it is on the list."""
        found = _numpy_global(module, name)
        if found is None:
            found = {
                ('_codecs', 'encode'): _encode_latin1,
                ('collections', 'OrderedDict'): dict,
                ('torch._utils', '_rebuild_tensor_v2'): (
                    torch._utils._rebuild_tensor_v2
                ),
                ('torch.storage', '_load_from_bytes'): _load_storage,
            }.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(
                f'it asks for {module}.{name}, which is not allowed'
            )
        return found


def _numpy_global(module: str, name: str) -> Any:
    """A type or a constructor of numpy, or None."""
    if module == 'numpy' and name in ('ndarray', 'dtype'):
        return getattr(np, name)
    if module in ('numpy', 'numpy.dtypes'):
        known = getattr(importlib.import_module(module), name, None)
        allowed = (np.generic, np.dtype)
        if isinstance(known, type) and issubclass(known, allowed):
            return known
    for home in _NUMPY_HOMES:
        internal = module.removeprefix(f'{home}.')
        if (internal, name) in _NUMPY_INTERNALS and internal != module:
            return _numpy_internal(internal, name)
    return None


def _numpy_internal(module: str, name: str) -> Any:
    for home in reversed(_NUMPY_HOMES):
        try:
            return getattr(importlib.import_module(f'{home}.{module}'), name)
        except ImportError:
            continue
    return None


def _read_object(file: BinaryIO) -> Any:
    """The object of a file whose header says 'pickled'; None if it does not.

    Leaves the position anywhere.
    """
    version = npy_format.read_magic(file)
    if version == (1, 0):
        _, _, dtype = npy_format.read_array_header_1_0(file)
    else:
        _, _, dtype = npy_format.read_array_header_2_0(file)
    if not dtype.hasobject:
        return None
    return _NumpyUnpickler(file, encoding='latin1').load()


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
    try:
        with open(path, 'rb') as file:
            found = _read_object(file)
        if found is None:
            return np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise UserInputError(
            f'Expected a .npy file at {path}, but it is not there.'
        ) from error
    except Exception as error:  # a damaged pickle may raise anything
        raise UserInputError(
            f'Cannot read {path} safely: {error}. Expected a .npy file with a '
            'dict of numpy arrays; write it again with np.save.'
        ) from error
    if isinstance(found, np.ndarray) and found.ndim == 0:
        return found.item()
    return found
