# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""One run at a time in a folder."""

import errno
import json
import logging
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mmengine.logging import print_log

from .errors import UserInputError

if sys.platform == 'win32':
    import msvcrt
else:
    import fcntl

__all__ = ['locked_folder']

# What a system answers that keeps no locks in this folder, e.g. some NFS.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
# Windows locks bytes against reading, too: one far behind the text.
_BYTE = 1 << 20


@contextmanager
def locked_folder(
    folder: str | os.PathLike[str], name: str = 'run'
) -> Iterator[None]:
    """Keep other runs out of a folder while the block runs.

    The lock is the system's, on a hidden file with the process and the start
    time. It ends with the process, however that ends, and is not handed on to
    processes that it starts. Where the file system has no locks, a warning
    is all.

    Args:
        folder (str | PathLike): Made, if it is not there.
        name (str): Of the kind of run; kinds do not keep each other out.

    Raises:
        UserInputError: If another process holds the lock.
    """
    path = Path(folder) / f'.{name}.lock'
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _open_locked(path)
    try:
        # Leave word of this run for whoever finds the folder locked.
        if descriptor is not None:
            owner = dict(
                process=os.getpid(),
                machine=platform.node(),
                since=time.strftime('%Y-%m-%d %H:%M:%S'),
                command=' '.join(sys.argv)[:500],
            )
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, json.dumps(owner).encode())
        yield
    finally:
        if descriptor is not None:
            with suppress(OSError):  # Windows keeps files that are open
                path.unlink()
            os.close(descriptor)


def _open_locked(path: Path) -> int | None:
    """Open and lock the file; give None where there are no locks."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        # Lock the file, or find out why not.
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            if error.errno in _NO_LOCKS:
                print_log(
                    f'{path.parent} is on a file system without locks: see '
                    'that no two runs write to it at once.',
                    logger='current',
                    level=logging.WARNING,
                )
                return None
            raise _in_use(path) from error
        # Take the lock only if the file is still the one of this name.
        if _is_still(path, descriptor):
            return descriptor
        os.close(descriptor)  # its owner had just finished and removed it


def _lock(descriptor: int) -> None:
    if sys.platform == 'win32':
        os.lseek(descriptor, _BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        # Not flock, which children that outlive this process would keep.
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _in_use(path: Path) -> UserInputError:
    # Name the run that holds the lock, as far as it left word.
    try:
        owner = json.loads(path.read_text())
        who = (
            f'process {owner["process"]} on {owner["machine"]} has been '
            f'writing to it since {owner["since"]} (`{owner["command"]}`)'
        )
    except (OSError, ValueError, KeyError, TypeError):
        who = 'another process is writing to it'
    return UserInputError(
        f'Expected {path.parent} for this run alone, but {who}. Wait until it '
        'is done, stop it, or choose another folder.'
    )
