# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The list of what went wrong, at the end of a run."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...utils import UserInputError

__all__ = ['column_of', 'describe_failure', 'list_failures']

_MOST_LISTED = 50  # of thousands, in a log


def list_failures(
    failures: Sequence[tuple[str, str]], total: int, what: str
) -> str:
    """Name the files that failed, and why.

    Args:
        failures (Sequence[tuple[str, str]]): File, or name, and message.
        total (int): Number of images.
        what (str): What became of them, e.g. 'failed and have no result'.

    Returns:
        str: A heading with the count, and one line a file.
    """
    # List the first ones, each with its file
    lines = [
        f'  {message}' if _names(message, path) else f'  {path}: {message}'
        for path, message in failures[:_MOST_LISTED]
    ]
    if len(failures) > _MOST_LISTED:
        lines.append(f'  and {len(failures) - _MOST_LISTED} more')
    return '\n'.join([f'{len(failures)} of {total} images {what}:', *lines])


def _names(message: str, path: str) -> bool:
    """Tell whether a message names its file, by path or name."""
    if '/' in path or '\\' in path:
        return path in message
    return f'/{path}.' in message or f'\\{path}.' in message


def describe_failure(error: Exception) -> str:
    """Say why one file failed, with the error's type where it is not ours."""
    if isinstance(error, UserInputError):
        return str(error)
    return f'{type(error).__name__}: {error}'


def column_of(results: Iterable[Mapping[str, Any]], key: str) -> list[Any]:
    """Collect a value of the results that have it."""
    return [result[key] for result in results if key in result]
