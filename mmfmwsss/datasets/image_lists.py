# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Split files: which pictures there are."""

import os
from pathlib import Path

from ..utils import UserInputError
from ..utils.files import ASSET_SCHEME, resolve_path
from ..utils.text_files import read_text

__all__ = ['below_root', 'list_lines', 'read_image_list', 'read_text']


def below_root(root: str, path: str | None) -> str | None:
    """Join the folder of a data set and the path of a list or label file.

    ``mmfmwsss://NAME`` is a file that comes with the package, wherever the
    data set is.

    Raises:
        UserInputError: If the package has no such file.
    """
    if not path:
        return None
    if path.startswith(ASSET_SCHEME):
        return str(resolve_path(path, 'Correct its name in the config.'))
    return os.path.join(root, path)


def read_image_list(path: str | Path) -> list[str]:
    """Read a split file: one picture a line.

    Lines of the official code, ``/JPEGImages/x.jpg /SegmentationClass/x.png``,
    are cut down to ``x``; nothing reads their mask. Another path that begins
    with a slash is absolute.

    Raises:
        UserInputError: If the file is missing, empty, or repeats a picture.
    """
    names: dict[str, int] = {}
    # Read the names, and refuse repeated ones
    for number, name in list_lines(path):
        if name in names:
            raise UserInputError(
                f'Expected every picture once in {path}, but {name} is on '
                f'lines {names[name]} and {number}. Delete one of them.'
            )
        names[name] = number
    if not names:
        raise UserInputError(
            f'Expected one picture a line in {path}, but it is empty.'
        )
    return list(names)


def list_lines(path: str | Path) -> list[tuple[int, str]]:
    """List number and picture of each line, repeated ones too.

    Raises:
        UserInputError: If the file is missing or is not UTF-8.
    """
    names = []
    for number, line in enumerate(read_text(Path(path)).splitlines(), 1):
        # Take the name from a line as it is
        name = line.strip()
        words = name.split()
        # Read lines of two paths, picture and mask, as some lists have
        if len(words) == 2 and all(word.startswith('/') for word in words):
            name = Path(words[0]).stem
        if name:
            names.append((number, name))
    return names
