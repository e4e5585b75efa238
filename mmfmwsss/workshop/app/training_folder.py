# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Photos with tags, masks and seeds, as ``configs/fmwsss/custom_*`` read them.

The layout is that of docs/your_own_photos.md, with ``$CUSTOM_WORK`` inside::

    images/NAME.jpg  image_labels.csv  classes.yaml
    work/sam_masks/NAME.json  work/seed/fine_seed/NAME.png
"""

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from ...datasets.label_tables import csv_rows
from ...structures import SAMMasks
from ...structures.class_prompts import ClassPrompts
from ...structures.class_tables import get_class_prompts
from ...utils import UserInputError, atomic_path
from ...utils.palette_png import read_label_png, write_palette_png
from ...utils.text_files import read_text, read_yaml

__all__ = ['TrainingFolder']

_SUFFIXES = ('.jpg', '.jpeg', '.png')  # as custom.py takes them


class TrainingFolder:
    """Keep what a person tags, so that training can start from it.

    Everything is written at once, so that a page that is closed loses
    nothing. Class names that a ``classes.yaml`` has at the start stay; others
    come and go with the tags, and the seeds are renumbered when they do.

    Args:
        root (str | PathLike): The folder; it may have photos already.
        background (Sequence[str]): Things that are no class, for a folder
            without ``classes.yaml``.

    Raises:
        UserInputError: If tags or class names that are there cannot be read.
    """

    def __init__(
        self, root: str | os.PathLike[str], background: Sequence[str]
    ) -> None:
        # Name the places that the configs know
        self.root = Path(root)
        self.images = self.root / 'images'
        self.label_file = self.root / 'image_labels.csv'
        self.class_file = self.root / 'classes.yaml'
        self.mask_dir = self.root / 'work' / 'sam_masks'
        self.seed_dir = self.root / 'work' / 'seed' / 'fine_seed'
        # Read what was left by the time before
        self._wordings: dict[str, Any] = {}
        self._background = list(background)
        self._read_classes()
        self._kept = tuple(self._wordings)
        self.tags: dict[str, tuple[str, ...]] = self._read_tags()

    @property
    def photos(self) -> list[str]:
        """Names of the photos, sorted, with their suffixes."""
        if not self.images.is_dir():
            return []
        return sorted(
            path.name
            for path in self.images.iterdir()
            if path.suffix.lower() in _SUFFIXES
            and not path.name.startswith('.')
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes; label 1 is the first."""
        return tuple(self._wordings)

    @property
    def finished(self) -> list[str]:
        """Names of the photos that have tags, masks and a seed."""
        return [
            name
            for name in self.photos
            if self.tags.get(name)
            and self.mask_path(name).is_file()
            and self.seed_path(name).is_file()
        ]

    def image_path(self, name: str) -> Path:
        """Tell where a photo is."""
        return self.images / name

    def mask_path(self, name: str) -> Path:
        """Tell where the masks of a photo are."""
        return self.mask_dir / f'{Path(name).stem}.json'

    def seed_path(self, name: str) -> Path:
        """Tell where the seed of a photo is."""
        return self.seed_dir / f'{Path(name).stem}.png'

    def remove(self, name: str) -> None:
        """Take a photo out, with its tags, masks and seed."""
        self.set_tags(name, ())
        for path in (self.mask_path(name), self.image_path(name)):
            path.unlink(missing_ok=True)

    def set_tags(self, name: str, tags: Sequence[str]) -> None:
        """Write the tags of a photo; the seed of other tags is deleted.

        Args:
            name (str): One of :attr:`photos`.
            tags (Sequence[str]): Of :func:`~.tag_texts.parse_tags`; none takes
                the photo out of the table.

        Raises:
            UserInputError: If the tags cannot all be classes.
        """
        # Check the classes that there would be
        before = dict(self.tags)
        chosen = {**before, name: tuple(tags)}
        wordings = self._wordings_for({k: v for k, v in chosen.items() if v})
        if wordings:
            self._prompts_of(wordings)
        # Forget the seed that other tags made
        if before.get(name, ()) != tuple(tags):
            self.seed_path(name).unlink(missing_ok=True)
        # Write tags and classes
        self.tags = {k: v for k, v in chosen.items() if v}
        self._set_classes(wordings)
        self._write_tags(self.label_file, list(self.tags))

    def write_masks(
        self, name: str, masks: SAMMasks, settings: str, source: str
    ) -> None:
        """Write the masks of a photo; see :meth:`SAMMasks.save`."""
        masks.save(self.mask_path(name), settings, source)

    def write_seed(self, name: str, seed: NDArray[np.integer]) -> None:
        """Write the seed of a photo under the numbers of the classes.

        Args:
            name (str): A photo with tags.
            seed (ndarray): 0 background, place among its tags + 1, (H, W).
        """
        numbers = [0, *(self.classes.index(t) + 1 for t in self.tags[name])]
        labels = np.asarray(numbers, np.uint8)[seed]
        palette = self._prompts_of(self._wordings).palette
        write_palette_png(self.seed_path(name), labels, palette)

    def table_of(self, names: Sequence[str]) -> str:
        """Write the table of labels of some photos, as text."""
        text = io.StringIO(newline='')
        writer = csv.writer(text, lineterminator='\n')
        writer.writerow(['image', 'tags'])
        writer.writerows([name, *self.tags[name]] for name in sorted(names))
        return text.getvalue()

    def _write_tags(self, path: Path, names: Sequence[str]) -> None:
        with atomic_path(path) as temporary:
            temporary.write_text(self.table_of(names), encoding='utf-8')

    def _read_classes(self) -> None:
        if not self.class_file.is_file():
            return
        # See that the file is as the configs want it
        get_class_prompts(str(self.class_file))
        content = read_yaml(self.class_file)
        # Keep the wordings of the prompts with the names
        classes = content['classes']
        if not isinstance(classes, Mapping):
            classes = dict.fromkeys(classes)
        self._wordings = dict(classes)
        self._background = list(content['background'])

    def _read_tags(self) -> dict[str, tuple[str, ...]]:
        if not self.label_file.is_file():
            return {}
        # Match the names of the table with files, with and without suffix
        files = {name: name for name in self.photos}
        files |= {Path(name).stem: name for name in self.photos}
        rows = csv_rows(
            self.label_file, read_text(self.label_file), self.classes
        )
        tags = {}
        for where, image, found in rows:
            unknown = [tag for tag in found if tag not in self._wordings]
            if unknown:
                raise UserInputError(
                    f'Expected classes of {self.class_file} on {where} of '
                    f'{self.label_file}, but got {unknown[0]!r}. Add it '
                    'there, or choose another folder.'
                )
            if image in files and found:
                tags[files[image]] = tuple(found)
        return tags

    def _wordings_for(
        self, tags: Mapping[str, Sequence[str]]
    ) -> dict[str, Any]:
        """Keep the classes of the start and those in use, new ones last."""
        used = dict.fromkeys(tag for found in tags.values() for tag in found)
        names = [
            *(n for n in self._wordings if n in used or n in self._kept),
            *(name for name in used if name not in self._wordings),
        ]
        return {name: self._wordings.get(name) for name in names}

    def _prompts_of(self, wordings: Mapping[str, Any]) -> ClassPrompts:
        return get_class_prompts(self._content(wordings))

    def _content(self, wordings: Mapping[str, Any]) -> dict[str, Any]:
        """Give classes and backgrounds, of which none is a class."""
        lower = {name.lower() for name in wordings}
        background = [b for b in self._background if b.lower() not in lower]
        return dict(classes=dict(wordings), background=background)

    def _set_classes(self, wordings: dict[str, Any]) -> None:
        """Write the classes, and renumber the seeds if numbers change."""
        before, after = self.classes, tuple(wordings)
        if before == after and self.class_file.is_file():
            return
        self._wordings = wordings
        # Leave no file that the configs would refuse
        if not wordings:
            self.class_file.unlink(missing_ok=True)
            return
        with atomic_path(self.class_file) as temporary:
            text = yaml.safe_dump(
                self._content(wordings), sort_keys=False, allow_unicode=True
            )
            temporary.write_text(text, encoding='utf-8')
        # Give each label its new number
        if after[: len(before)] != before:
            numbers = np.zeros(256, np.uint8)
            for number, name in enumerate(before, 1):
                if name in wordings:
                    numbers[number] = after.index(name) + 1
            self._renumber(numbers)

    def _renumber(self, numbers: NDArray[np.uint8]) -> None:
        palette = self._prompts_of(self._wordings).palette
        for name in self.finished:
            path = self.seed_path(name)
            labels = numbers[read_label_png(path)]
            write_palette_png(path, labels, palette)
