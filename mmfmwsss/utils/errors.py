# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The one exception for what a user can mend, and words for it."""

import difflib
import os
from pathlib import Path

__all__ = ['UserInputError', 'nearby_files', 'nearby_names']

_MOST_NAMED = 3


class UserInputError(ValueError):
    """Data, weights or a config are not as expected, and the user can mend it.

    The message says what was expected, what was found (with a number and one
    example) and the command or edit that mends it. The command-line tools
    print it without a traceback.
    """


def nearby_files(path: str | os.PathLike[str]) -> str:
    """Say what there is where a file was expected.

    Args:
        path (str | PathLike): A file that is not there.

    Returns:
        str: A sentence with a space in front, or nothing: the path is a
        folder, its folder is not there, or the files of the same kind (suffix)
        in it, the most similar names first.
    """
    expected = Path(path)
    # List the files of the folder, if it is there.
    try:
        if expected.is_dir():
            return f' {expected} is a folder.'
        folder = expected.parent
        if not folder.is_dir():
            return f' There is no folder {folder} either.'
        with os.scandir(folder) as entries:
            there = [entry.name for entry in entries if entry.is_file()]
    except (OSError, ValueError):
        return ''
    # Name those of the same kind, the most similar first.
    alike = [name for name in there if _is_of_kind(name, expected.suffix)]
    if not alike:
        return ''
    alike.sort(key=lambda name: (-_likeness(name, expected.name), name))
    named = ', '.join(alike[:_MOST_NAMED])
    more = ', ...' if len(alike) > _MOST_NAMED else ''
    where = 'The current folder' if folder == Path() else folder
    return f' {where} has {named}{more}.'


def _is_of_kind(name: str, suffix: str) -> bool:
    """Tell if a file has a suffix, in any case, and is not hidden."""
    same = Path(name).suffix.lower() == suffix.lower() != ''
    return same and not name.startswith('.')


def nearby_names(name: str, names: list[str]) -> str:
    """Say which names are like one that is not known; or nothing."""
    close = difflib.get_close_matches(name, names, n=_MOST_NAMED, cutoff=0.6)
    quoted = ' or '.join(f'`{match}`' for match in close)
    return f' Is {quoted} meant?' if close else ''


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one.lower(), other.lower()).ratio()
