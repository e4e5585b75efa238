# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Paths and writes: package assets, atomic files, checksums."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import UserInputError

__all__ = ['ASSET_SCHEME', 'atomic_path', 'resolve_path', 'sha256_of']

ASSET_SCHEME = 'mmfmwsss://'
_ASSETS = Path(__file__).parents[1] / 'assets'


def resolve_path(path: str | os.PathLike[str], remedy: str) -> Path:
    """Turn a path, or a name in the package's assets, into an existing file.

    Args:
        path (str | PathLike): A file, or ``'mmfmwsss://NAME'`` for a file
            that comes with the package.
        remedy (str): What to do when the file is not there; ends the message.

    Returns:
        Path: The file.

    Raises:
        UserInputError: If there is no such file.
    """
    text = os.fspath(path)
    if text.startswith(ASSET_SCHEME):
        file = _ASSETS / text.removeprefix(ASSET_SCHEME)
    else:
        file = Path(text).expanduser()
    if not file.is_file():
        raise UserInputError(
            f'Expected a file at {file}, but it is not there. {remedy}'
        )
    return file


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path that becomes ``path`` when the block succeeds.

    A reader sees the old file or the complete new one, never a half. The
    temporary file keeps the suffix, so that writers which look at it work.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        dir=target.parent, prefix=f'.{target.stem}.', suffix=target.suffix
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        for block in iter(lambda: file.read(1 << 20), b''):
            digest.update(block)
    return digest.hexdigest()
