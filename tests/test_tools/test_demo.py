# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The demo command."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from mmfmwsss.utils import UserInputError

PATH = Path(__file__).parents[2] / 'tools' / 'demo.py'
SPEC = importlib.util.spec_from_file_location('demo_tool', PATH)
tool = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)


def test_help_imports_nothing_heavy() -> None:
    listed = subprocess.run(
        [sys.executable, '-X', 'importtime', str(PATH), '--help'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert 'get_weights.py mobile_sam efficientnet_lite2' in listed.stdout
    assert 'torch' not in listed.stderr


def test_no_photo_is_an_error() -> None:
    with pytest.raises(UserInputError, match='Expected a photo, got none'):
        tool.list_photos(tool.parse_args([]))


def test_folders_and_free_photos_are_listed(tmp_path: Path) -> None:
    (tmp_path / 'a.jpg').touch()
    (tmp_path / 'notes.txt').touch()
    args = tool.parse_args([str(tmp_path), '--free'])
    found = tool.list_photos(args)
    assert [(path.name, tags) for path, tags in found] == [
        ('chelsea.png', ['cat']),
        ('coffee.png', ['cup']),
        ('motorcycle_left.png', ['motorcycle']),
        ('a.jpg', []),
    ]
    assert all(path.is_file() for path, _ in found)
