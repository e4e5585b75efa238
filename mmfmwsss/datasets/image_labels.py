# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Read image-level labels from text, CSV, JSON and VOC XML. Never masks."""

import difflib
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..utils import UserInputError
from .image_files import FileFinder
from .image_label_formats import LabelRow, json_rows, text_rows
from .image_lists import read_text
from .label_tables import csv_rows

__all__ = [
    'labels_to_array',
    'read_image_labels',
    'read_voc_folder',
    'read_voc_xml',
]

_TABLES = ('.csv', '.tsv')


def read_image_labels(
    path: str | Path, classes: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Read the class names of many pictures from one file.

    * ``.txt`` (or any other suffix): ``name class class ...`` a line. Names
      of several words are recognised where ``classes`` has them; a picture
      with spaces in its name needs tabs between the entries, or quotes.
    * ``.csv``, ``.tsv``: ``name,class,class`` a row, or ``name,class`` in
      several rows of a picture; a header is skipped. Semicolons and tabs do,
      too. With the classes as the header, cells are 0 and 1.
    * ``.json``: ``{name: [class, ...]}``, or a list of
      ``{'image': name, 'labels': [class, ...]}``, or COCO's instances: their
      pictures with an object, no outline is kept.

    Args:
        path (str | Path): The file.
        classes (Sequence[str]): Foreground class names.

    Returns:
        dict[str, tuple[str, ...]]: Class names of each picture, each once, in
        the order of the file. Empty where a picture has no label.

    Raises:
        UserInputError: If the file is missing, not readable or empty, names
            an unknown class, or has a picture twice (not CSV).
    """
    path = Path(path)
    text = read_text(path)
    is_table = path.suffix.lower() in _TABLES
    # Collect the classes of each picture
    labels: dict[str, list[str]] = {}
    unknown: list[tuple[str, str, str]] = []
    for where, name, found in _rows(path, text, classes):
        if name in labels and not is_table:
            raise UserInputError(
                f'Expected every picture once in {path}, but {name} is there '
                f'again on {where}. Delete one of them.'
            )
        labels.setdefault(name, []).extend(found)
        unknown += [(where, name, c) for c in found if c not in classes]
    # Check them
    if unknown:
        _refuse_unknown(str(path), unknown, classes)
    if not labels:
        raise UserInputError(
            f'Expected the labels of pictures in {path}, but it has none.'
        )
    return {name: tuple(dict.fromkeys(c)) for name, c in labels.items()}


def _rows(path: Path, text: str, classes: Sequence[str]) -> Iterable[LabelRow]:
    """Split a file of labels by the format that its suffix tells."""
    suffix = path.suffix.lower()
    if suffix == '.json':
        return json_rows(path, text)
    if suffix in _TABLES:
        return csv_rows(path, text, classes)
    return text_rows(path, text, classes)


def read_voc_xml(path: str | Path, classes: Sequence[str]) -> tuple[str, ...]:
    """Read the classes of the objects in a VOC annotation, each once.

    Objects marked ``difficult`` count, as in CLIP-ES. Names of an object's
    parts (head, hand) are not classes of the picture.

    Raises:
        UserInputError: If the file is missing, is not XML, or names an
            unknown class.
    """
    path = Path(path)
    # Parse the file, but no declarations
    try:
        text = read_text(path)
        if '<!DOCTYPE' in text or '<!ENTITY' in text:
            # Entities of entities grow without end, or name other files.
            raise ElementTree.ParseError('it declares a DOCTYPE')
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        if isinstance(error, UserInputError):
            raise
        raise UserInputError(
            f'Expected a VOC annotation in {path}, but it is not XML '
            f'({error}). Extract the file from the archive again.'
        ) from error
    # Collect the names of all objects
    names = [
        thing.findtext('name', '').strip() for thing in root.iter('object')
    ]
    unknown = [
        ('an <object>', path.stem, n) for n in names if n not in classes
    ]
    if unknown:
        _refuse_unknown(str(path), unknown, classes)
    return tuple(dict.fromkeys(names))


def read_voc_folder(
    folder: str | Path, names: Sequence[str], classes: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Read ``<name>.xml`` of every picture; see :func:`read_voc_xml`.

    Raises:
        UserInputError: If annotations are missing or wrong.
    """
    # Look for all files first, for one missing may tell of many
    paths = {name: Path(folder, f'{name}.xml') for name in names}
    finder = FileFinder()
    missing = [str(path) for path in paths.values() if not finder(path)]
    if missing:
        raise UserInputError(
            f'Expected an annotation for each of {len(names)} pictures, but '
            f'{len(missing)} are missing, e.g. {missing[0]}. Extract them '
            'from the archive again, or take the pictures out of the image '
            'list.'
        )
    return {name: read_voc_xml(path, classes) for name, path in paths.items()}


def labels_to_array(
    names: Iterable[str], classes: Sequence[str]
) -> NDArray[np.bool_]:
    """Turn class names into a multi-hot vector, bool, (C,)."""
    present = set(names)
    return np.array([name in present for name in classes], dtype=bool)


def _refuse_unknown(
    source: str,
    unknown: list[tuple[str, str, str]],
    classes: Sequence[str],
) -> None:
    where, image, name = unknown[0]
    # Suggest the classes that are spelt most alike
    folded = {c.lower(): c for c in classes}
    close = difflib.get_close_matches(name.lower(), list(folded), n=3)
    hint = (
        f'Did you mean {" or ".join(repr(folded[c]) for c in close)}?'
        if close
        else f'The classes are {", ".join(classes)}.'
    )
    raise UserInputError(
        f'Expected one of {len(classes)} classes in {source}, but {where} '
        f'({image}) has {name!r}; {len(unknown)} such name(s) in all. {hint} '
        'Mend the label file, or add the class to the class prompts.'
    )
