# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The examples in docstrings give what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    '.'.join(path.relative_to(ROOT).with_suffix('').parts)
    for path in (ROOT / 'mmfmwsss').rglob('*.py')
    if '>>> ' in path.read_text()
)
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@pytest.mark.parametrize('name', MODULES)
def test_examples(name: str) -> None:
    module = importlib.import_module(name.removesuffix('.__init__'))
    found = doctest.testmod(module, optionflags=OPTIONS)
    assert found.attempted > 0
    assert found.failed == 0


def test_the_steps_of_the_method_have_examples() -> None:
    folders = {name.rpartition('.')[0] for name in MODULES}
    assert {
        'mmfmwsss.models.masks',
        'mmfmwsss.models.seeding',
        'mmfmwsss.structures',
    } <= folders
