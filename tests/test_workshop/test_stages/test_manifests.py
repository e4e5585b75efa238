# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Manifests see every change of a file, and read only what may differ."""

import os
import time
from pathlib import Path

import pytest

from mmfmwsss.workshop.stages import manifests
from mmfmwsss.workshop.stages.manifests import (
    digest_of_files,
    digest_of_results,
    take_manifest,
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        'run/a.png',
        'run/metrics.json',
        'run/config.py',
        'run/.half.png',
        'run/20261126_113306/run.log',
        'run/vis_data/scalars.json',
        'one.txt',
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('old')
    return tmp_path


def test_results_without_logs_and_hidden_files(tree: Path) -> None:
    found = take_manifest(tree, ['run', 'one.txt', 'none'])
    assert list(found) == ['one.txt', 'run/a.png', 'run/metrics.json']
    only_run = take_manifest(tree, ['run'])
    assert digest_of_files(found) != digest_of_files(only_run)
    before = digest_of_results(only_run)
    (tree / 'run/metrics.json').write_text('seconds')
    assert digest_of_results(take_manifest(tree, ['run'])) == before
    (tree / 'run/a.png').write_text('new')
    assert digest_of_results(take_manifest(tree, ['run'])) != before


def test_old_files_are_not_read_again(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifests, '_TICK', 0)
    time.sleep(0.05)
    first = take_manifest(tree, ['run'])
    read: list[str] = []

    def digest(path: str) -> str:
        read.append(os.path.basename(path))
        return 'new'

    monkeypatch.setattr(manifests, 'digest_of_file', digest)
    assert take_manifest(tree, ['run'], first) == first
    assert read == []
    # of the same size, with the old time put back: the system still knows
    path = tree / 'run' / 'a.png'
    stat = path.stat()
    path.write_text('new')
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert take_manifest(tree, ['run'], first)['run/a.png'][0] == 'new'
    assert read == ['a.png']


def test_young_files_are_read_again(tree: Path) -> None:
    first = take_manifest(tree, ['one.txt'])
    assert first['one.txt'][-1] == 0
    (tree / 'one.txt').write_text('new')
    assert digest_of_files(
        take_manifest(tree, ['one.txt'], first)
    ) != digest_of_files(first)
