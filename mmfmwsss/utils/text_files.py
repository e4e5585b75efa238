# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Read text, JSON and YAML of an untrusted source."""

import codecs
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from .errors import UserInputError
from .limits import MAX_TEXT_BYTES, check_file_bytes

__all__ = ['parse_json', 'parse_yaml', 'read_json', 'read_text', 'read_yaml']

_MAX_YAML_BYTES = 2**24
_MAX_YAML_VALUES = 200_000
_MAX_DEPTH = 64
_BOMS = (  # UTF-32 first: it begins as UTF-16 does
    (codecs.BOM_UTF32_LE, 'utf-32'),
    (codecs.BOM_UTF32_BE, 'utf-32'),
    (codecs.BOM_UTF16_LE, 'utf-16'),
    (codecs.BOM_UTF16_BE, 'utf-16'),
)
_OTHER_FORMATS = (
    (b'PK\x03\x04', 'a ZIP archive or a workbook (.xlsx, .ods)'),
    (b'PK\x05\x06', 'an empty ZIP archive'),
    (b'\xd0\xcf\x11\xe0', 'an old workbook (.xls)'),
    (b'PAR1', 'a Parquet table'),
    (b'ARROW1', 'an Arrow table'),
    (b'SQLite format 3', 'a SQLite database'),
    (b'\x1f\x8b', 'a gzip archive'),
    (b'BZh', 'a bzip2 archive'),
    (b'\xfd7zXZ', 'an xz archive'),
    (b'7z\xbc\xaf', 'a 7z archive'),
    (b'%PDF', 'a PDF'),
    (b'\x89PNG', 'a PNG picture'),
    (b'\xff\xd8\xff', 'a JPEG picture'),
    (b'\x93NUMPY', 'a .npy array'),
)


def read_text(path: str | os.PathLike[str]) -> str:
    """Read a text file: UTF-8, or UTF-16 and UTF-32 with their mark.

    Raises:
        UserInputError: If the file is missing, too large, of another format
            (named where it is known), or not of one of these encodings.
    """
    file = Path(path)
    check_file_bytes(file, MAX_TEXT_BYTES)
    data = file.read_bytes()
    # Name formats that are often taken for text.
    for start, kind in _OTHER_FORMATS:
        if data.startswith(start):
            raise UserInputError(
                f'Expected text in {file}, but it is {kind}. Save or export '
                'it as CSV or text in UTF-8, and name that file.'
            )
    # Decode as the mark says, else as UTF-8.
    encoding = next((e for bom, e in _BOMS if data.startswith(bom)), None)
    try:
        text = data.decode(encoding or 'utf-8-sig')
    except UnicodeDecodeError as error:
        raise UserInputError(
            f'Expected UTF-8 text in {file}, but got other bytes ({error}). '
            'Save it as UTF-8.'
        ) from error
    # Refuse NUL, the sign of binary data or a wrong encoding.
    if '\0' in text:
        line = text.count('\n', 0, text.index('\0')) + 1
        raise UserInputError(
            f'Expected text in {file}, but line {line} has a NUL character. '
            'Save it as UTF-8 text.'
        )
    return text


def parse_json(
    text: str,
    path: str | os.PathLike[str],
    pairs: Callable[[list[tuple[str, Any]]], Any] | None = None,
) -> Any:
    """Parse JSON; refuse what it should not hold.

    Args:
        text (str): The JSON.
        path (str | PathLike): The file, for the message.
        pairs (Callable, optional): Makes an object of its pairs, which have
            no key twice.

    Raises:
        UserInputError: If it is no JSON, has a key twice, NaN or Infinity,
            or is nested too deeply.
    """

    def checked(items: list[tuple[str, Any]]) -> Any:
        content = dict(items)
        if len(content) != len(items):
            keys = [key for key, _ in items]
            raise UserInputError(
                f'Expected every key once in {path}, but '
                f'{_repeated(keys)!r:.80} is there twice. Delete one of them.'
            )
        return pairs(items) if pairs else content

    def constant(name: str) -> None:
        raise UserInputError(
            f'Expected numbers in {path}, but got {name}. Make the file again.'
        )

    # Parse it, and name the line or the reason where it fails.
    try:
        return json.loads(
            text, object_pairs_hook=checked, parse_constant=constant
        )
    except json.JSONDecodeError as error:
        raise UserInputError(
            f'Expected JSON in {path}, but line {error.lineno} is not '
            f'({error.msg}).'
        ) from error
    except RecursionError as error:
        raise UserInputError(
            f'Expected JSON in {path}, but it is nested too deeply.'
        ) from error
    except UserInputError:
        raise
    except ValueError as error:  # a number of thousands of digits
        raise UserInputError(
            f'Expected JSON in {path}, but {str(error)[:120]}.'
        ) from error


def read_json(
    path: str | os.PathLike[str], limit: int = MAX_TEXT_BYTES
) -> Any:
    """Read a JSON file of at most ``limit`` bytes.

    Raises:
        UserInputError: See :func:`read_text` and :func:`parse_json`.
    """
    check_file_bytes(path, limit)
    return parse_json(read_text(path), path)


def read_yaml(path: str | os.PathLike[str]) -> Any:
    """Read a YAML file.

    Raises:
        UserInputError: See :func:`read_text` and :func:`parse_yaml`.
    """
    check_file_bytes(path, _MAX_YAML_BYTES)
    return parse_yaml(read_text(path), path)


def parse_yaml(text: str, path: str | os.PathLike[str]) -> Any:
    """Parse YAML of plain values: no tag makes an object or calls anything.

    Args:
        text (str): The YAML.
        path (str | PathLike): The file, for the message.

    Raises:
        UserInputError: If it is no YAML, asks for Python objects, has a key
            twice, is nested too deeply, or grows too large by its aliases.
    """
    try:
        # Count before values are made: aliases of aliases grow without end.
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        _count_values(node, 0, 0)
        return yaml.safe_load(text)
    except RecursionError as error:
        raise UserInputError(
            f'Expected YAML in {path}, but it is nested too deeply.'
        ) from error
    except (yaml.YAMLError, ValueError, TypeError, KeyError) as error:
        what = ' '.join(str(error).split())[:200]
        raise UserInputError(
            f'Expected YAML of plain values in {path}, but {what}.'
        ) from error


def _count_values(node: Any, count: int, depth: int) -> int:
    """Count the values with each alias followed; raise above the limit."""
    count += 1
    if count > _MAX_YAML_VALUES or depth > _MAX_DEPTH:
        raise ValueError('it has too many values or is nested too deeply')
    for child in _children(node):
        count = _count_values(child, count, depth + 1)
    return count


def _children(node: Any) -> list[Any]:
    """List keys and values of a mapping, or the items of a sequence."""
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    if not isinstance(node, yaml.MappingNode):
        return []
    keys = [k.value for k, _ in node.value if isinstance(k.value, str)]
    if len(set(keys)) != len(keys):
        raise ValueError(f'the key {_repeated(keys)!r:.80} is there twice')
    return [child for pair in node.value for child in pair]


def _repeated(keys: list[str]) -> str:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            return key
        seen.add(key)
    return ''
