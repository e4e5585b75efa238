# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The list of what went wrong, at the end of a run."""

from collections.abc import Sequence

__all__ = ['list_failures']

_MOST_LISTED = 50  # of thousands, in a log


def list_failures(
    failures: Sequence[tuple[str, str]], total: int, what: str
) -> str:
    """Name the files that failed, and why.

    Args:
        failures (Sequence[tuple[str, str]]): File and message of each.
        total (int): Number of images.
        what (str): What became of them, e.g. 'failed and have no result'.

    Returns:
        str: A heading with the count, and one line a file.
    """
    lines = [
        f'  {message}' if path in message else f'  {path}: {message}'
        for path, message in failures[:_MOST_LISTED]
    ]
    if len(failures) > _MOST_LISTED:
        lines.append(f'  and {len(failures) - _MOST_LISTED} more')
    return '\n'.join([f'{len(failures)} of {total} images {what}:', *lines])
