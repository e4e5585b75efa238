# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Paths of package assets, and writes that are whole or not at all."""

import errno
import os
import stat
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


def test_it_is_flushed_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = []
    fsync, replace = os.fsync, os.replace

    def note_fsync(handle: int) -> None:
        folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        events.append('folder' if folder else 'file')
        fsync(handle)

    def note_replace(source: Path, target: Path) -> None:
        events.append('name')
        replace(source, target)

    monkeypatch.setattr(os, 'fsync', note_fsync)
    monkeypatch.setattr(os, 'replace', note_replace)
    with atomic_path(tmp_path / 'a.txt') as path:
        path.write_text('content')
    assert events == ['file', 'name', 'folder']


@pytest.mark.parametrize(
    ('number', 'remedy'),
    [
        (errno.ENOSPC, 'No space left.*Free space'),
        (errno.EACCES, 'Permission denied.*Change the permissions'),
        (errno.EROFS, 'Read-only.*not read-only'),
        (errno.EDQUOT, 'Free space'),
    ],
)
def test_what_the_disk_refuses_is_said_in_a_line(
    number: int, remedy: str, tmp_path: Path
) -> None:
    target = tmp_path / 'seed.png'
    target.write_text('old')

    def fail() -> None:
        with atomic_path(target) as path:
            path.write_text('half')
            raise OSError(number, os.strerror(number))

    with pytest.raises(UserInputError, match=f'write .*seed.png.*{remedy}'):
        fail()
    assert target.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [target]


def test_paths_that_cannot_be_written(tmp_path: Path) -> None:
    file, folder = tmp_path / 'file', tmp_path / 'folder.png'
    file.touch()
    folder.mkdir()
    for target, remedy in (
        (file / 'a.png', 'Move what is there'),
        (file / 'b' / 'a.png', 'Move what is there'),
        (folder, 'Is a directory'),
        (tmp_path / ('x' * 300 + '.png'), 'shorter name'),
        (tmp_path / ('x' * 300) / 'a.png', 'shorter name'),
    ):
        with (
            pytest.raises(UserInputError, match=remedy),
            atomic_path(target) as path,
        ):
            path.touch()
    assert sorted(p.name for p in tmp_path.iterdir()) == ['file', 'folder.png']
    # the longest name there is, of four bytes a letter
    longest = tmp_path / ('\N{CAT FACE}' * 62 + 'xxx.png')
    with atomic_path(longest) as path:
        path.touch()
    assert longest.is_file()


def test_errors_of_other_files_are_their_own(tmp_path: Path) -> None:
    other = tmp_path / 'elsewhere'
    other.touch()
    with (
        pytest.raises(NotADirectoryError),
        atomic_path(tmp_path / 'out' / 'a.png'),
    ):
        (other / 'input.png').read_bytes()


def test_sha256_of(tmp_path: Path) -> None:
    file = tmp_path / 'abc'
    file.write_bytes(b'abc')  # the first example of FIPS 180-2
    assert sha256_of(file).startswith('ba7816bf8f01cfea')
