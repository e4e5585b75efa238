# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Hash the files that a stage read or wrote."""

import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ...utils import digest_of, digest_of_file

__all__ = [
    'Manifest',
    'digest_of_files',
    'digest_of_results',
    'take_manifest',
]

# Path below the root -> [hash, size, times of change, or 0 where not known].
Manifest = Mapping[str, list[str | int]]

# Logs of a run, which no other stage reads: work_dir/20261126_113306/...
_LOG_FOLDER = re.compile(r'\d{8}_\d{6}|vis_data')
# Dumped configs and logs: no result.
_NO_RESULTS = ('.py', '.log')
# Of a record of figures, with the date and the time that they took.
_DATED = 'metrics.json'
# A file that changed this shortly before it was looked at may change again
# without another time of change, nanoseconds.
_TICK = 2_000_000_000


def take_manifest(
    root: Path, paths: Iterable[str], known: Manifest | None = None
) -> dict[str, list[str | int]]:
    """Hash the files of some folders; hidden ones and logs are left out.

    Args:
        root (Path): Where relative paths start.
        paths (Iterable[str]): Files and folders, there or not.
        known (Mapping, optional): An earlier manifest. Files that the system
            has not seen changed since are not read again: size, inode and
            both times must be the same, of which no program can set the
            time of change.

    Returns:
        dict: The manifest.
    """
    known = known or {}
    manifest = {}
    # Visit the files in a fixed order
    for file in sorted(_files(root, paths)):
        name = os.path.relpath(file, root)
        state = _state(file)
        before = known.get(name)
        # Take the known digest of a file that did not change
        if before is not None and list(before[1:]) == state and state[-1]:
            manifest[name] = [before[0], *state]
        else:
            manifest[name] = [digest_of_file(file), *state]
    return manifest


def digest_of_files(manifest: Manifest) -> str:
    """Hash the names and contents of all files."""
    return digest_of({name: entry[0] for name, entry in manifest.items()})


def digest_of_results(manifest: Manifest) -> str:
    """Hash what other stages read: all but the records of figures."""
    return digest_of_files(
        {
            name: entry
            for name, entry in manifest.items()
            if os.path.basename(name) != _DATED
        }
    )


def _files(root: Path, paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        # Take a file as it is
        start = os.path.join(root, path)
        if os.path.isfile(start):
            yield start
        # Walk a folder, past hidden folders and logs
        for folder, subfolders, names in os.walk(start):
            subfolders[:] = [
                name
                for name in subfolders
                if name[0] != '.' and not _LOG_FOLDER.fullmatch(name)
            ]
            yield from (
                os.path.join(folder, name)
                for name in names
                if name[0] != '.' and not name.endswith(_NO_RESULTS)
            )


def _state(file: str) -> list[str | int]:
    """Return size, inode and times; the last is 0 if it proves nothing."""
    # Trust the time of the last change once the clock has moved on
    found = os.stat(file)
    age = time.time_ns() - found.st_ctime_ns
    settled = os.name == 'posix' and age > _TICK
    return [
        found.st_size,
        found.st_ino,
        found.st_mtime_ns,
        found.st_ctime_ns if settled else 0,
    ]
