# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""OneDL's packages print a note for debugging whenever they are imported."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, TextIO

__all__ = ['without_import_notes']

_NOTE = 'Could not import OneDL'


class _WithoutNotes:
    """A stream that drops the note and its line end."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._dropped = False

    def write(self, text: str) -> int:
        """Write to the stream, unless it is the note."""
        # Drop the note, and the line end that is written after it.
        line_end, self._dropped = self._dropped and text == '\n', False
        if text.startswith(_NOTE):
            self._dropped = True
        elif not line_end:
            self._stream.write(text)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def without_import_notes() -> Iterator[None]:
    """Import without OneDL's notes; all else is printed as ever."""
    stream: Any = _WithoutNotes(sys.stdout)
    with redirect_stdout(stream):
        yield
