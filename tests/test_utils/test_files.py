# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Paths of package assets, and writes that are whole or not at all."""

from pathlib import Path

import pytest

from mmfmwsss.utils import (
    UserInputError,
    atomic_path,
    resolve_path,
    sha256_of,
)


def test_resolve_path(tmp_path: Path) -> None:
    file = tmp_path / 'weights.pt'
    file.touch()
    assert resolve_path(file, '') == file
    asset = resolve_path('mmfmwsss://tiny_clip.safetensors', '')
    assert asset.parent.name == 'assets'
    with pytest.raises(UserInputError, match='none.pt.*Fetch it so.'):
        resolve_path(tmp_path / 'none.pt', 'Fetch it so.')


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / 'new' / 'seed.png'
    with atomic_path(target) as path:
        assert path.suffix == '.png'
        path.write_text('old')
        assert not target.exists()
    assert target.read_text() == 'old'

    def fail() -> None:
        with atomic_path(target) as path:
            path.write_text('half')
            raise RuntimeError('killed')

    with pytest.raises(RuntimeError, match='killed'):
        fail()
    assert target.read_text() == 'old'
    assert list(target.parent.iterdir()) == [target]


def test_sha256_of(tmp_path: Path) -> None:
    file = tmp_path / 'abc'
    file.write_bytes(b'abc')  # the first example of FIPS 180-2
    assert sha256_of(file).startswith('ba7816bf8f01cfea')
