# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Find the images of a data set and read their labels."""

import posixpath
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from ..utils import UserInputError
from .image_files import names_in
from .image_folder import ImageFile, ImageFolder
from .image_labels import read_image_labels, read_voc_folder
from .image_lists import read_image_list

__all__ = ['ImageLabelSource', 'LabelledImage', 'annotation_names']

_Labels = Mapping[str, tuple[str, ...]]


class LabelledImage(NamedTuple):
    """A picture and the names of its classes, none where it has no label."""

    image: ImageFile
    classes: tuple[str, ...]


@dataclass(frozen=True)
class ImageLabelSource:
    """Describe where the images and labels of a data set are.

    Attributes:
        image_dir (str): Folder of the pictures.
        image_list (str, optional): Split file. Without it: the pictures that
            have labels or, without those, all of ``image_dir``.
        label_file (str, optional): Labels as text, CSV or JSON.
        xml_dir (str, optional): Labels as VOC annotations.
        image_suffixes (tuple[str, ...]): Suffixes of the pictures.
    """

    image_dir: str
    image_list: str | None
    label_file: str | None
    xml_dir: str | None
    image_suffixes: tuple[str, ...]

    @cached_property
    def folder(self) -> ImageFolder:
        """Return the folder in which images are looked up."""
        return ImageFolder(self.image_dir, self.image_suffixes)

    def read(self, classes: Sequence[str]) -> list[LabelledImage]:
        """Find the pictures and read their labels.

        Args:
            classes (Sequence[str]): Foreground class names.

        Raises:
            UserInputError: If a file is wrong, listed pictures are missing,
                two have one name, or there are two kinds of labels.
        """
        if self.label_file and self.xml_dir:
            raise UserInputError(
                'Expected `label_file` or `xml_dir`, but got both. Delete one.'
            )
        # Read the label file, whose rows may also be the list
        rows: _Labels = {}
        if self.label_file:
            rows = read_image_labels(self.label_file, classes)
        # Find the pictures that the list names
        source = self.image_list or self.label_file or self.xml_dir
        images = self.folder.find_all(self._listed(rows), source)
        # Read an annotation for each picture, or match the rows with them
        if self.xml_dir:
            named = annotation_names(self.xml_dir, images)
            read = read_voc_folder(self.xml_dir, list(named.values()), classes)
            labels = {path: read[name] for path, name in named.items()}
        else:
            labels = self.by_path(rows)
        return [LabelledImage(i, labels.get(i.path, ())) for i in images]

    def _listed(self, rows: _Labels) -> list[str]:
        """Read the names that lists give to the images."""
        # Prefer a list of its own to the label file
        if self.image_list:
            return read_image_list(self.image_list)
        if self.label_file:
            return list(rows)
        # Take every picture that has an annotation
        if self.xml_dir:
            names = names_in(self.xml_dir, '.xml')
            if not names:
                raise UserInputError(
                    f'Expected annotations *.xml in {self.xml_dir}, but there '
                    'are none. Correct `xml_dir`, or give an `image_list`.'
                )
            return names
        return self.folder.all()

    def by_path(self, rows: _Labels) -> dict[str, tuple[str, ...]]:
        """Return labels of the pictures that exist, whatever rows call them.

        Raises:
            UserInputError: If a picture has two rows, or a row fits several
                pictures.
        """
        labels: dict[str, tuple[str, ...]] = {}
        # Match each row with the picture that it names
        for listed, shown in rows.items():
            below = self.folder.find(listed)
            if below is None:
                continue  # of a picture that this data set leaves out
            path = self.folder.file(below).path
            # Refuse two rows on one picture
            if path in labels:
                raise UserInputError(
                    f'Expected every picture once in {self.label_file}, but '
                    f'{path} is there twice, also as {listed!r}. Put its '
                    'labels into one entry.'
                )
            labels[path] = shown
        return labels


def annotation_names(
    folder: str | Path, images: Sequence[ImageFile]
) -> dict[str, str]:
    """Find the names of the pictures' annotations, by picture paths.

    Annotations lie in the sub-folders of the pictures or, where no two
    pictures share the last part of their name, side by side.
    """
    # Note which annotations there are, and which file names are unique
    there = set(names_in(folder, '.xml'))
    counts = Counter(posixpath.basename(image.name) for image in images)
    names = {}
    # Fall back on a flat folder where the last part says it all
    for name, path in images:
        last = posixpath.basename(name)
        flat = name not in there and last in there and counts[last] == 1
        names[path] = last if flat else name
    return names
