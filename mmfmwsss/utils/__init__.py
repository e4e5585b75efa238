# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Small helpers that every part of the package may use."""

from .checkpoint_files import read_checkpoint, read_weights
from .config_files import read_config
from .config_variables import environment_set
from .digests import (
    digest_of,
    digest_of_array,
    digest_of_file,
    digest_of_picture,
    digest_of_weights,
)
from .errors import UserInputError, nearby_files, nearby_names
from .files import atomic_path, explain_write_error, resolve_path, sha256_of
from .folder_lock import locked_folder

__all__ = [
    'UserInputError',
    'atomic_path',
    'digest_of',
    'digest_of_array',
    'digest_of_file',
    'digest_of_picture',
    'digest_of_weights',
    'environment_set',
    'explain_write_error',
    'locked_folder',
    'nearby_files',
    'nearby_names',
    'read_checkpoint',
    'read_config',
    'read_weights',
    'resolve_path',
    'sha256_of',
]
