# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Small helpers that every part of the package may use."""

from .checkpoint_files import read_checkpoint
from .errors import UserInputError
from .files import atomic_path, explain_write_error, resolve_path, sha256_of

__all__ = [
    'UserInputError',
    'atomic_path',
    'explain_write_error',
    'read_checkpoint',
    'resolve_path',
    'sha256_of',
]
