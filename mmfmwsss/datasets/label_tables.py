# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Tables of image-level labels: commas, semicolons or tabs; names or 0 and 1.

A row is ``name,class,class``, or ``name,"class, class"``. With the classes as
the header, the cells are 0 and 1 (one-hot).
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import compress
from pathlib import Path

from ..utils import UserInputError

__all__ = ['csv_rows']

_HEADERS = {
    *('image', 'name', 'file', 'filename', 'file_name', 'image_id'),
    *('img', 'photo', 'picture', 'path', 'image_path', 'image_name'),
}
_FLAGS = {'1': True, '1.0': True, 'true': True, 'yes': True}
_FLAGS |= {'0': False, '0.0': False, 'false': False, 'no': False, '': False}

_Row = tuple[int, list[str]]


def csv_rows(
    path: Path, text: str, classes: Sequence[str]
) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the rows of a table, header aside: where, picture, classes.

    Raises:
        UserInputError: If a row cannot be read or has no picture, or the
            columns of a one-hot table are no classes.
    """
    rows = _cells(path, text)
    # Read a column of 0 and 1 for each class
    one_hot = _is_one_hot(rows, classes)
    if one_hot:
        yield from _one_hot_rows(path, rows, classes)
        return
    # Read the classes' names from the cells after the picture
    for position, (number, cells) in enumerate(rows):
        if position == 0 and _is_header(cells, classes):
            continue
        if not cells[0]:
            raise UserInputError(
                f'Expected a picture in the first cell of line {number} of '
                f'{path}, but it is empty. Delete a column of numbers, or '
                'fill it in.'
            )
        found = [c for cell in cells[1:] for c in _split(cell, classes)]
        yield f'line {number}', cells[0], found


def _cells(path: Path, text: str) -> list[_Row]:
    """Read line number and stripped cells of each row that is not empty."""
    # Skip the separator note, but keep the count of lines
    first, _, rest = text.partition('\n')
    if re.fullmatch(r'\ufeff?sep=.\r?', first):  # a note for Excel
        text = '\n' + rest
    # Guess the delimiter from the first line, quoted cells aside
    line = next((line for line in text.splitlines() if line.strip()), '')
    outside = re.sub(r'"[^"]*"', '', line)
    # The first one wins a tie: a semicolon is rare in names.
    delimiter = max(';\t,', key=outside.count)
    if not outside.count(delimiter):
        delimiter = ','
    # Read the rows, and keep those with any content
    reader = csv.reader(io.StringIO(text, newline=''), delimiter=delimiter)
    rows: list[_Row] = []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append((reader.line_num, cells))
    except csv.Error as error:
        raise UserInputError(
            f'Expected a table in {path}, but line {reader.line_num} cannot '
            f'be read ({error}). Is a quotation mark left open?'
        ) from error
    return rows


def _is_header(cells: list[str], classes: Sequence[str]) -> bool:
    named = cells[0].lower() in _HEADERS
    return named and not any(cell in classes for cell in cells[1:])


def _split(cell: str, classes: Sequence[str]) -> list[str]:
    """Split the class names of a cell, where all of them are known."""
    if not cell or cell in classes:
        return [cell] if cell else []
    parts = [part.strip() for part in re.split('[,;|]', cell)]
    known = all(part in classes for part in parts)
    return parts if known else [cell]


def _is_one_hot(rows: list[_Row], classes: Sequence[str]) -> bool:
    """Tell whether the cells below a header are all flags or empty."""
    # Collect the cells, unless 0 and 1 are names of classes
    below = [cell.lower() for _, cells in rows[1:] for cell in cells[1:]]
    if not any(below) or any(name.lower() in _FLAGS for name in classes):
        return False
    # Ask for numbers below titles that are none
    titles = rows[0][1][1:]
    numbers = all(cell in _FLAGS for cell in below)
    return numbers and not all(t.lower() in _FLAGS for t in titles)


def _one_hot_rows(
    path: Path, rows: list[_Row], classes: Sequence[str]
) -> Iterator[tuple[str, str, list[str]]]:
    # Match titles with classes
    titles = rows[0][1][1:]
    columns = _columns(path, titles, classes)
    # Read the flags of each picture, as many as there are titles
    for number, (name, *cells) in rows[1:]:
        if not name or len(cells) != len(titles):
            raise UserInputError(
                f'Expected a picture and {len(titles)} cells on line {number} '
                f'of {path}, but got {len(cells)} cells. Mend the line.'
            )
        flags = [_FLAGS[cell.lower()] for cell in cells]
        yield f'line {number}', name, list(compress(columns, flags))


def _columns(
    path: Path, titles: Sequence[str], classes: Sequence[str]
) -> list[str]:
    """Find the class of each column, also with underscores for spaces."""
    # Accept class names also with underscores for their spaces
    spelt = {name.replace(' ', '_'): name for name in classes}
    spelt |= {name: name for name in classes}
    # Refuse unknown and repeated titles
    unknown = [title for title in titles if title not in spelt]
    if unknown or len(set(titles)) != len(titles):
        wrong = unknown[0] if unknown else 'one of them twice'
        raise UserInputError(
            f'Expected class names as the header of the table of 0 and 1 in '
            f'{path}, but got {wrong!r:.80}. Delete the columns that are no '
            'class, or add the class to the class prompts.'
        )
    return [spelt[title] for title in titles]
