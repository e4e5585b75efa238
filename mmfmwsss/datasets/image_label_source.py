# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Which pictures there are, and the labels of each."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from ..utils import UserInputError
from .image_files import list_images
from .image_labels import read_image_labels, read_voc_folder
from .image_lists import read_image_list

__all__ = ['ImageLabelSource']

_Labels = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class ImageLabelSource:
    """Where a data set's pictures and labels are.

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

    def read(self, classes: Sequence[str]) -> tuple[list[str], _Labels]:
        """Read names and labels.

        Args:
            classes (Sequence[str]): Foreground class names.

        Returns:
            tuple: Names of the pictures in order, and the class names of
            those that have labels.

        Raises:
            UserInputError: If a file is wrong, or there are two kinds of
                labels.
        """
        if self.label_file and self.xml_dir:
            raise UserInputError(
                'Expected `label_file` or `xml_dir`, but got both. Delete one.'
            )
        names = read_image_list(self.image_list) if self.image_list else []
        if self.label_file:
            found = read_image_labels(self.label_file, classes)
            names = names or list(found)
            # The list and the labels may differ in writing the suffix.
            bare = {self._bare(name): shown for name, shown in found.items()}
        elif self.xml_dir:
            names = names or list_images(self.xml_dir, ('.xml',))
            bare = read_voc_folder(
                self.xml_dir, [self._bare(name) for name in names], classes
            )
        else:
            names = names or list_images(self.image_dir, self.image_suffixes)
            bare = {}
        return names, {n: bare.get(self._bare(n), ()) for n in names}

    def _bare(self, name: str) -> str:
        stem, suffix = os.path.splitext(name)
        return stem if suffix in self.image_suffixes else name
