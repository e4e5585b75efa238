# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Names of pictures, and of the files that belong to them."""

import os
import posixpath
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..utils import UserInputError

__all__ = [
    'IMAGE_SUFFIXES',
    'FileFinder',
    'bare_name',
    'list_images',
    'names_in',
    'path_below',
    'suffixes_of',
    'walk_files',
]

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')


def suffixes_of(suffix: str | Sequence[str]) -> tuple[str, ...]:
    """List one suffix, or several."""
    return (suffix,) if isinstance(suffix, str) else tuple(suffix)


def path_below(folder: str | Path, listed: str) -> str:
    """Return the path of a listed file below its folder, by slashes.

    Args:
        folder (str | Path): The folder.
        listed (str): As a list writes it: below the folder, or absolute.

    Raises:
        UserInputError: If it is outside of the folder.
    """
    parts = listed.split('/')
    if '' not in parts and '.' not in parts and '..' not in parts:
        return listed
    # Resolve dots and doubled slashes, and refuse what leads outside
    top = os.path.abspath(folder)
    below = os.path.relpath(os.path.join(top, listed), top)
    if below.split(os.sep)[0] in ('', '.', '..'):
        raise UserInputError(
            f'Expected pictures in {folder}, but {listed!r} is outside of it.'
            ' Name them by their path below the folder, or correct '
            '`image_dir`.'
        )
    return below.replace(os.sep, '/')


def bare_name(listed: str) -> str:
    """Return the name of a listed picture whose file is not looked up.

    Args:
        listed (str): With or without the suffix of a picture.

    Returns:
        str: Without it, by slashes.

    Raises:
        UserInputError: If it leads out of any folder.
    """
    name = path_below('.', listed.replace('\\', '/').lstrip('/'))
    stem, suffix = posixpath.splitext(name)
    return stem if suffix.lower() in IMAGE_SUFFIXES else name


def walk_files(folder: str | Path) -> Iterator[str]:
    """Walk all files in a folder and its sub-folders, sorted.

    Hidden files and folders are left out: unfinished writes, and what macOS
    puts beside each file (``._a.jpg``). A folder that links lead to twice is
    read once.

    Raises:
        OSError: If there is no such folder.
    """
    seen: set[str] = set()
    os.listdir(folder)  # os.walk says nothing of a missing folder
    for root, folders, files in os.walk(folder, followlinks=True):
        # Enter each folder once: links may lead in circles
        if (real := os.path.realpath(root)) in seen:
            folders.clear()
            continue
        seen.add(real)
        # Go down in order, past hidden folders
        folders[:] = sorted(f for f in folders if not f.startswith('.'))
        below = os.path.relpath(root, folder).replace(os.sep, '/')
        # Yield the files of this folder by their paths from the top
        for file in sorted(files):
            if not file.startswith('.'):
                yield file if below == '.' else f'{below}/{file}'


def list_images(folder: str | Path, suffixes: Sequence[str]) -> list[str]:
    """List all pictures in a folder and its sub-folders, by their paths.

    Args:
        folder (str | Path): The folder.
        suffixes (Sequence[str]): What pictures end in, in any case.

    Returns:
        list[str]: Sorted, by slashes, with the suffix.

    Raises:
        UserInputError: If there is no such folder or no picture in it.
    """
    try:
        # Walk the folder, or say which setting to correct
        files = sorted(walk_files(folder))
    except OSError as error:
        there = os.path.exists(folder)
        found = f'could not read it ({type(error).__name__})'
        raise UserInputError(
            f'Expected a folder of pictures at {folder}, but '
            f'{found if there else "there is none"}. Correct `data_root` or '
            '`image_dir` in the config, or the variables that they come from.'
        ) from error
    wanted = tuple({suffix.lower() for suffix in suffixes})
    # Keep the files with a picture's suffix, whatever its case
    images = [file for file in files if file.lower().endswith(wanted)]
    if not images:
        raise UserInputError(
            f'Expected pictures that end in {" or ".join(suffixes)} in '
            f'{folder}, but none of its {len(files)} files does. Set '
            '`image_suffix` in the config.'
        )
    return images


def names_in(
    folder: str | Path, suffix: str, leave_out: str | Path | None = None
) -> list[str]:
    """List the names of all files of a kind below a folder, sorted.

    Args:
        folder (str | Path): The folder.
        suffix (str): What they end in, e.g. '.json'.
        leave_out (str | Path, optional): A folder, perhaps inside the other,
            whose files are not wanted: that of the output.

    Returns:
        list[str]: Without the suffix, by slashes; none where there is no such
        folder.
    """
    # Find the files of this kind; a missing folder has none
    try:
        files = list(walk_files(folder))
    except OSError:
        return []
    names = [f.removesuffix(suffix) for f in files if f.endswith(suffix)]
    # Leave out the results that are written inside the folder
    if leave_out is not None:
        inner = os.path.relpath(leave_out, folder).replace(os.sep, '/')
        names = [name for name in names if not name.startswith(f'{inner}/')]
    return sorted(names)


class FileFinder:
    """Looks files up; reads each folder once, for lists of many thousands."""

    def __init__(self) -> None:
        self._content: dict[str, frozenset[str]] = {}

    def __call__(self, path: str | Path) -> bool:
        """Tell whether there is such a file."""
        folder, name = os.path.split(path)
        return name in self.names(folder)

    def names(self, folder: str | Path) -> frozenset[str]:
        """Return all names in a folder; none where it is not there."""
        key = os.fspath(folder)
        # List each folder once, for it is asked about every picture
        if key not in self._content:
            try:
                names = frozenset(os.listdir(key or '.'))
            except OSError:
                names = frozenset()
            self._content[key] = names
        return self._content[key]
