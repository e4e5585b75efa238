# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Paths and writes: package assets, atomic files, checksums."""

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import UserInputError, nearby_files

__all__ = [
    'ASSET_SCHEME',
    'atomic_path',
    'explain_write_error',
    'resolve_path',
    'sha256_of',
]

ASSET_SCHEME = 'mmfmwsss://'
_ASSETS = Path(__file__).parents[1] / 'assets'
_PREFIX_LENGTH = 32  # letters of a temporary name, of 255 bytes at most
_FREE_SPACE = (
    'Free space there, or choose another folder, and run the command again.'
)
_PERMISSION = (
    'Change the permissions, or choose another folder (`--work-dir`).'
)
_ANOTHER_PATH = 'Move what is there away, or choose another path.'
_WRITE_REMEDIES = {
    errno.ENOSPC: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EFBIG: 'Such large files are not allowed there: choose another '
    'folder, or raise the limit (`ulimit -f`).',
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EROFS: 'Choose a folder that is not read-only (`--work-dir`).',
    errno.ENOTDIR: _ANOTHER_PATH,
    errno.EISDIR: _ANOTHER_PATH,
    errno.EEXIST: _ANOTHER_PATH,
    errno.ENAMETOOLONG: 'Give it a shorter name or folder.',
}


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
            f'Expected a file at {file}, but it is not there.'
            f'{nearby_files(file)} {remedy}'.rstrip()
        )
    return file


def explain_write_error(
    error: OSError, path: str | os.PathLike[str], action: str = 'write'
) -> UserInputError | None:
    """Say in one line why a file could not be written, and what to do.

    Args:
        error (OSError): Of the attempt.
        path (str | PathLike): The file that was to be written.
        action (str): Another verb, where it may have been read.

    Returns:
        UserInputError | None: None if it is no matter of disk, permission or
        path, or another file's.
    """
    remedy = _WRITE_REMEDIES.get(error.errno or 0)
    if remedy is None:
        return None
    return UserInputError(
        f'Expected to {action} {os.fspath(path)}, but: {error.strerror}. '
        f'{remedy}'
    )


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path that becomes ``path`` when the block succeeds.

    A reader sees the old file or the complete new one, never a half, even
    after a power failure. The temporary file keeps the suffix, so that
    writers which look at it work.

    Raises:
        UserInputError: If the disk is full or read-only, or the path is not
            one that can be written. The old file is as it was.
    """
    target = Path(path)
    temporary: Path | None = None
    try:
        # Lend a file in the same folder, so that a rename suffices.
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=target.parent,
            prefix=f'.{target.stem[:_PREFIX_LENGTH]}.',
            suffix=target.suffix,
        )
        os.close(handle)
        temporary = Path(name)
        yield temporary
        # Bring it to the disk before it takes the target's place.
        os.chmod(temporary, 0o644)
        _flush(temporary)
        os.replace(temporary, target)
        with suppress(OSError):  # some file systems cannot flush folders
            _flush(target.parent)
    except OSError as error:
        # Explain errors of this file; others are not ours.
        if not _is_about(error, target):
            raise
        explained = explain_write_error(error, target)
        if explained is None:
            raise
        raise explained from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _is_about(error: OSError, target: Path) -> bool:
    """Tell whether an error can be of writing the target, not of reading."""
    if error.filename is None:
        return True
    named = Path(os.fsdecode(error.filename))
    return named.parent == target.parent or named in target.parents


def _flush(path: Path) -> None:
    """Have what was written to a file or folder brought to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Compute the hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        for block in iter(lambda: file.read(1 << 20), b''):
            digest.update(block)
    return digest.hexdigest()
