# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
# ruff: noqa: T201  printing is what is tested
"""Importing the package prints nothing, and hides nothing of others."""

import logging
import subprocess
import sys

import pytest

from mmfmwsss.compat import without_import_notes


def test_only_the_note_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger('test_import_notes')
    with without_import_notes():
        print('before')
        print('Could not import OneDL')
        print('Could not import OneDL. Skipping OneDL datasets.')
        print('after')
        print()
        # A handler that is made now writes where it would have written.
        logger.addHandler(logging.StreamHandler(sys.stdout))
    logger.warning('later')
    print('Could not import OneDL')
    assert capsys.readouterr().out == (
        'before\nafter\n\nlater\nCould not import OneDL\n'
    )


def test_import_prints_nothing() -> None:
    done = subprocess.run(
        [sys.executable, '-c', 'import mmfmwsss'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ''
