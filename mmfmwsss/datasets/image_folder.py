# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Find the pictures that lists and labels name; one name, one picture."""

import os
import posixpath
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from ..utils import UserInputError
from .image_files import (
    IMAGE_SUFFIXES,
    FileFinder,
    list_images,
    path_below,
    walk_files,
)

__all__ = ['ImageFile', 'ImageFolder']

_FORMS: tuple[Literal['NFC', 'NFD'], ...] = ('NFC', 'NFD')
_Index = dict[str, list[str]]


class ImageFile(NamedTuple):
    """A picture of a data set.

    Attributes:
        name (str): Path below the image folder without the suffix,
            'kitchen/001': the name of its masks, seeds and predictions.
        path (str): The file.
    """

    name: str
    path: str


class ImageFolder:
    """The pictures in a folder and its sub-folders.

    A list, or a label file, may name a picture by its path below the folder,
    with or without the suffix; by its absolute path; with the separators of
    Windows; below the name of the folder itself; or by the file's name
    alone, where only one sub-folder has such a file.

    Args:
        folder (str | Path): The folder.
        suffixes (Sequence[str]): What pictures end in, in any case.
    """

    def __init__(self, folder: str | Path, suffixes: Sequence[str]) -> None:
        self.folder = os.fspath(folder)
        self.suffixes = tuple(suffixes)
        self._wanted = tuple(sorted({s.lower() for s in suffixes}))
        self._finder = FileFinder()
        self._indices: dict[str, _Index] = {}

    def all(self) -> list[str]:
        """List the paths below the folder of all pictures in it, sorted.

        Raises:
            UserInputError: If there is no such folder or no picture in it.
        """
        return list_images(self.folder, self.suffixes)

    def matches(self, listed: str) -> list[str]:
        """List the paths of the pictures that a list may mean.

        Args:
            listed (str): A picture as a list writes it.

        Returns:
            list[str]: One; none, if it is missing; several, if the name fits
            several pictures.

        Raises:
            UserInputError: If it is outside of the folder.
        """
        # Try the spellings in turn: the first one that fits wins
        for name in self._spellings(listed):
            below, file = posixpath.split(name)
            found = self._in(below, file)
            if found:
                return [posixpath.join(below, match) for match in found]
        # Look for a bare name in all sub-folders
        plain = '/' not in listed and '\\' not in listed
        return self._anywhere.get(listed, []) if plain else []

    def find(self, listed: str) -> str | None:
        """Find a listed picture below the folder; None if it is missing.

        Raises:
            UserInputError: If it is outside of the folder, or fits several
                pictures.
        """
        found = self.matches(listed)
        # Refuse to guess between two pictures
        if len(found) > 1:
            raise UserInputError(
                f'Expected one picture in {self.folder} that {listed!r} '
                f'names, but it may be {found[0]} or {found[1]}. Write the '
                'path below the folder, with the suffix; files of one name '
                'in one folder need different ones.'
            )
        return found[0] if found else None

    def file(self, below: str) -> ImageFile:
        """Name a picture that is given by its path below the folder."""
        name = posixpath.splitext(below)[0]
        return ImageFile(name, os.path.join(self.folder, below))

    def find_all(
        self, listed: Sequence[str], source: str | None
    ) -> list[ImageFile]:
        """Find the pictures of a data set, all of different names.

        Args:
            listed (Sequence[str]): As a list writes them.
            source (str, optional): The list, for the messages.

        Returns:
            list[ImageFile]: In the order of the list.

        Raises:
            UserInputError: If any is missing or outside of the folder, or
                two share a name.
        """
        # Look up every name, and refuse a list with gaps
        found = [(name, self.find(name)) for name in listed]
        missing = [name for name, below in found if below is None]
        if missing and not os.path.isdir(self.folder):
            raise UserInputError(
                f'Expected {len(found)} pictures in {self.folder}, but there '
                'is no such folder. Correct `data_root` or `image_dir` in the '
                'config, or the variables that they come from.'
            )
        if missing:
            raise UserInputError(
                f'Expected {len(found)} listed pictures in {self.folder}, but '
                f'{len(missing)} of them are missing, e.g. {missing[0]}. Put '
                'them there, correct `image_suffix`, or take them out of '
                f'{source or self.folder}.'
            )
        files: dict[str, str] = {}
        # Refuse two pictures whose seeds would have one name
        for name, below in found:
            image = self.file(below or '')
            if image.name in files:
                raise _twins(image, files[image.name], name, source)
            files[image.name] = image.path
        return [ImageFile(name, path) for name, path in files.items()]

    def _spellings(self, listed: str) -> Iterator[str]:
        """Yield the name as it is, and what else it may stand for."""
        yield path_below(self.folder, listed)
        # Read Windows' paths, too
        plain = listed.replace('\\', '/')
        if plain != listed:
            yield path_below(self.folder, plain)
        # Try the composed and the decomposed form of accents
        if not plain.isascii():  # macOS takes accents apart
            for form in _FORMS:
                yield path_below(
                    self.folder, unicodedata.normalize(form, plain)
                )
        # Accept a path that begins with the folder's own name
        top, _, rest = plain.removeprefix('./').partition('/')
        if rest and top == os.path.basename(os.path.abspath(self.folder)):
            yield path_below(self.folder, rest)

    def _in(self, below: str, file: str) -> list[str]:
        """List the files of one sub-folder that may be called so."""
        # Take a file of exactly this name first
        names = self._finder.names(os.path.join(self.folder, below))
        if file in names and self._keys(file):
            return [file]
        # Index the sub-folder by all names that its files may have
        if below not in self._indices:
            index: _Index = {}
            self._indices[below] = index
            for each in sorted(names):
                for key in self._keys(each):
                    index.setdefault(key, []).append(each)
        # Ask for the name as given, then without capitals in its suffix
        known = self._indices[below]
        return known.get(file) or known.get(_lower_suffix(file), [])

    @cached_property
    def _anywhere(self) -> _Index:
        """Index the files of all sub-folders by name, without the folders."""
        index: _Index = {}
        # Walk all sub-folders; one that is missing has no file
        try:
            paths = sorted(walk_files(self.folder))
        except OSError:
            return index
        # File each picture under each of its names
        for path in paths:
            for key in self._keys(posixpath.basename(path)):
                index.setdefault(key, []).append(path)
        return index

    def _keys(self, file: str) -> set[str]:
        """List the names of a file, with suffix and, if wanted, without."""
        folded = file.lower()
        if not folded.endswith((*self._wanted, *IMAGE_SUFFIXES)):
            return set()
        # Cut the wanted suffixes off
        bare = {
            file[: -len(s)] for s in self._wanted if folded.endswith(s)
        } - {''}
        return {file, _lower_suffix(file), *bare}


def _twins(
    image: ImageFile, other: str, listed: str, source: str | None
) -> UserInputError:
    if image.path == other:
        return UserInputError(
            f'Expected every picture once in {source}, but {other} is there '
            f'twice, also as {listed!r}. Delete one of them.'
        )
    return UserInputError(
        f'Expected pictures of different names, but got {other} and '
        f'{image.path}: their masks, seeds and predictions would be one file,'
        f' {image.name}. Rename one of them (with its label and mask), or '
        'take it out of the data set.'
    )


def _lower_suffix(file: str) -> str:
    stem, suffix = posixpath.splitext(file)
    return stem + suffix.lower()
