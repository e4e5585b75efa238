# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Shared by all tests: the import that readies mmcv, and a small world."""

import os
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from mmengine.registry import DefaultScope

import mmfmwsss  # noqa: F401  before any test imports mmseg.models
from mmfmwsss.workshop.partworld.files import PartWorldRecord, write_partworld

# For tools/arguments.py: a script finds it beside itself. At the end, since
# tools/test.py has the name of a module of Python.
sys.path.append(str(Path(__file__).parents[1] / 'tools'))
# Programs that tests start, too: several tests run beside each other.
os.environ.setdefault('OMP_NUM_THREADS', '1')
# The same examples in every run, so that a failure comes again.
settings.register_profile('fixed', derandomize=True, deadline=None)
settings.load_profile('fixed')


@pytest.fixture(autouse=True)
def _mmseg_scope() -> Iterator[None]:
    """Let registries look into mmseg, as in a run; use one thread."""
    torch.set_num_threads(1)
    with DefaultScope.overwrite_default_scope('mmseg'):
        yield


@pytest.fixture(scope='session')
def partworld_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PartWorld with 6 pictures to train on and 2 to validate. Read only."""
    root = tmp_path_factory.mktemp('partworld')
    write_partworld(root, PartWorldRecord(seed=2012, train=6, val=2))
    return root


class Hostile:
    """Its pickle writes ``marker`` when it is read by an unsafe loader."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return Path.write_text, (self.marker, 'code of a file was run')


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Hostile]:
    """An object for crafted pickles; the test fails if one of them ran."""
    item = Hostile(tmp_path / 'marker_of_hostile_code')
    yield item
    assert not item.marker.exists()


def png_of_bits(width: int, height: int, rows: bytes, bits: int = 1) -> bytes:
    """A grey PNG written by hand; each row begins with a 0."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        total = struct.pack('>I', zlib.crc32(kind + data))
        return struct.pack('>I', len(data)) + kind + data + total

    header = struct.pack('>IIBBBBB', width, height, bits, 0, 0, 0, 0)
    return (
        b'\x89PNG\r\n\x1a\n'
        + chunk(b'IHDR', header)
        + chunk(b'IDAT', zlib.compress(rows, 9))
        + chunk(b'IEND', b'')
    )


@pytest.fixture(scope='session')
def bomb() -> bytes:
    """A PNG of 22 KB, above Pillow's and our limit of pixels."""
    side = 13_400
    return png_of_bits(side, side, bytes((1 + (side + 7) // 8) * side))
