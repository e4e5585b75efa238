# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Find the files that a list names, and say which are missing."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..utils import UserInputError

__all__ = [
    'IMAGE_SUFFIXES',
    'FileFinder',
    'find_images',
    'list_images',
    'require_images',
]

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')


class FileFinder:
    """Looks files up; reads each folder once, for lists of many thousands."""

    def __init__(self) -> None:
        self._content: dict[str, frozenset[str]] = {}

    def __call__(self, path: str | Path) -> bool:
        """Whether there is such a file."""
        folder, name = os.path.split(path)
        if folder not in self._content:
            try:
                names = frozenset(os.listdir(folder or '.'))
            except OSError:
                names = frozenset()
            self._content[folder] = names
        return name in self._content[folder]

    def image(
        self, folder: str | Path, name: str, suffixes: Sequence[str]
    ) -> str | None:
        """Path of a picture listed with or without its suffix, or None."""
        candidates = [name + suffix for suffix in suffixes]
        if os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES:
            candidates.insert(0, name)
        for candidate in candidates:
            path = os.path.join(folder, candidate)
            if self(path):
                return path
        return None


def list_images(folder: str | Path, suffixes: Sequence[str]) -> list[str]:
    """Names of all pictures in a folder, sorted, without the suffix.

    Raises:
        UserInputError: If there is no such folder or no picture in it.
    """
    try:
        files = sorted(os.listdir(folder))
    except OSError as error:
        raise UserInputError(
            f'Expected a folder of pictures at {folder}, but could not read '
            f'it ({type(error).__name__}). Correct `data_root` or '
            '`image_dir` in the config.'
        ) from error
    names = [
        f.removesuffix(s) for f in files for s in suffixes if f.endswith(s)
    ]
    if not names:
        raise UserInputError(
            f'Expected pictures that end in {" or ".join(suffixes)} in '
            f'{folder}, but none of its {len(files)} files does. Set '
            '`image_suffix` in the config.'
        )
    return names


def require_images(
    missing: Iterable[str], total: int, folder: str | Path, remedy: str
) -> None:
    """Refuse to start where listed pictures are not there.

    Raises:
        UserInputError: If ``missing`` is not empty.
    """
    missing = list(missing)
    if missing:
        raise UserInputError(
            f'Expected {total} listed pictures in {folder}, but {len(missing)}'
            f' of them are missing, e.g. {missing[0]}. {remedy}'
        )


def find_images(
    folder: str | Path,
    names: Sequence[str],
    suffixes: Sequence[str],
    remedy: str,
) -> dict[str, str]:
    """Find the path of every listed picture.

    Args:
        folder (str | Path): Where they are.
        names (Sequence[str]): Names, with or without a suffix.
        suffixes (Sequence[str]): Suffixes to try.
        remedy (str): What to do where some are missing; ends the message.

    Returns:
        dict[str, str]: Path of each name.

    Raises:
        UserInputError: If any is missing.
    """
    finder = FileFinder()
    paths = {name: finder.image(folder, name, suffixes) for name in names}
    missing = [name for name, path in paths.items() if path is None]
    require_images(missing, len(names), folder, remedy)
    return {name: path for name, path in paths.items() if path is not None}
