# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The file formats of image-level labels: text and JSON."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..utils import UserInputError
from ..utils.text_files import parse_json

__all__ = ['LabelRow', 'json_rows', 'text_rows']

_IMAGE_KEYS = ('image', 'name', 'file_name', 'filename', 'file')
_LABEL_KEYS = ('labels', 'classes', 'label', 'class', 'tags')

# Where it stands, the picture, its class names.
LabelRow = tuple[str, str, list[str]]


def text_rows(
    path: Path, text: str, classes: Sequence[str]
) -> Iterator[LabelRow]:
    """Yield the rows of ``name class class``, by tabs or else by spaces.

    Raises:
        UserInputError: If a line has no picture, or cannot be read.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        where = f'line {number}'
        # Split at tabs, where names may have spaces
        if '\t' in line:
            name, *found = [cell.strip() for cell in line.split('\t')]
            yield where, name, [cell for cell in found if cell]
            continue
        # Split at spaces, and put class names of several words together
        name, *words = _words(path, line, where)
        yield where, name, _join_words(words, classes)


def _words(path: Path, line: str, where: str) -> list[str]:
    # Split at spaces outside of quotes, for names with spaces
    try:
        rows = list(csv.reader([line.strip()], delimiter=' '))
    except csv.Error as error:
        rows = []
        what = str(error)
    else:
        what = 'it has no name'
    words = [cell for row in rows for cell in row if cell]
    if not words:
        raise UserInputError(
            f'Expected a picture and its classes on {where} of {path}, but '
            f'{what}. Mend the line.'
        )
    return words


def _join_words(words: list[str], classes: Sequence[str]) -> list[str]:
    """Put words together to the longest class names, ``traffic light``."""
    # Accept class names also with underscores for their spaces
    known = {name: name for name in classes}
    known |= {name.replace(' ', '_'): name for name in classes}
    longest = max((len(name.split()) for name in classes), default=1)
    found = []
    # Take the longest class name that the next words make
    while words:
        for count in range(min(longest, len(words)), 0, -1):
            candidate = ' '.join(words[:count])
            if candidate in known or count == 1:
                found.append(known.get(candidate, candidate))
                words = words[count:]
                break
    return found


def json_rows(path: Path, text: str) -> Iterator[LabelRow]:
    """Yield the entries of a JSON object, a list or COCO instances.

    The outlines of COCO's instances are dropped by the parser: what reads
    image-level labels never holds a mask.

    Raises:
        UserInputError: If the text is not JSON, repeats a picture, or an
            entry is not a picture with a list of names.
    """
    # Read the file without the outlines, which labels do not need
    content = parse_json(text, path, _without_outlines)
    if not isinstance(content, (dict, list)):
        raise UserInputError(
            f'Expected a list or an object in {path}, but got {content!r:.80}.'
        )
    if isinstance(content, dict) and 'annotations' in content:
        yield from _coco_rows(path, content)
        return
    # Read one entry a picture, by keys or as a pair
    entries = list(content.items()) if isinstance(content, dict) else content
    for number, entry in enumerate(entries, 1):
        if isinstance(entry, dict):
            entry = (_first(entry, _IMAGE_KEYS), _first(entry, _LABEL_KEYS))
        # Refuse what is no picture with a list of class names
        if not _is_labelled(entry):
            raise UserInputError(
                f'Expected a picture and a list of class names as entry '
                f'{number} of {path}, but got {json.dumps(entry):.120}. Write '
                '{"a.jpg": ["cat"]}, or a list of {"image": "a.jpg", '
                '"labels": ["cat"]}, or export COCO or CSV.'
            )
        yield f'entry {number}', entry[0], entry[1]


def _is_labelled(entry: object) -> bool:
    """Tell if an entry is the name of an image and a list of class names."""
    return (
        isinstance(entry, tuple)
        and isinstance(entry[0], str)
        and isinstance(entry[1], list)
        and all(isinstance(name, str) for name in entry[1])
    )


def _coco_rows(path: Path, content: Mapping[str, Any]) -> Iterator[LabelRow]:
    """Yield COCO's pictures that have an object, crowds included."""
    # Join instances with the names of their pictures and classes
    try:
        names = {c['id']: c['name'] for c in content['categories']}
        files = {i['id']: i['file_name'] for i in content['images']}
        shown: dict[str, list[str]] = {file: [] for file in files.values()}
        if not all(isinstance(n, str) for n in (*names.values(), *shown)):
            raise TypeError('names of classes and files that are texts')
        for thing in content['annotations']:
            shown[files[thing['image_id']]].append(names[thing['category_id']])
    except (KeyError, TypeError, AttributeError) as error:
        raise UserInputError(
            f'Expected COCO instances in {path} (images, annotations and '
            f'categories that refer to each other), but could not find '
            f'{error}. Extract the file from the archive again.'
        ) from error
    # Leave out pictures without an object
    for file, found in shown.items():
        if found:
            yield f'image {file}', file, found


def _without_outlines(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if 'category_id' in content:
        content.pop('segmentation', None)
    return content


def _first(entry: Mapping[str, object], keys: Sequence[str]) -> object:
    return next((entry[key] for key in keys if key in entry), None)
