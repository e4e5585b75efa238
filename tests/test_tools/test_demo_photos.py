# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The commands of `make demo-photos`, which a stand-in for Python writes."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ANIMALS = ROOT / 'mmfmwsss' / 'assets' / 'voc_animals'


@pytest.fixture
def commands(tmp_path: Path) -> list[str]:
    """Path of a program that writes its arguments, a line a call."""
    program = tmp_path / 'python'
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    return [str(program)]


def run(program: list[str], *arguments: str, **variables: str) -> list[str]:
    names = ('MOBILE_SAM', 'EFFICIENTNET_LITE2', 'IMAGES', 'SCHEDULE')
    kept = {k: v for k, v in os.environ.items() if k not in names}
    result = subprocess.run(
        ['tools/demo_photos.sh', *arguments],
        cwd=ROOT,
        env=kept | dict(PYTHON=program[0]) | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.splitlines()


WEIGHTS = [
    'tools/get_weights.py mobile_sam',
    'tools/get_weights.py efficientnet_lite2',
]


def test_free_photos_where_none_are_given(commands: list[str]) -> None:
    free = 'tools/demo.py --free'
    assert run(commands) == [*WEIGHTS, free]
    # As `make demo-photos` without PHOTOS= calls it
    assert run(commands, '') == [*WEIGHTS, free]


def test_own_photos(commands: list[str], tmp_path: Path) -> None:
    found = run(commands, str(tmp_path), MOBILE_SAM='my sam.pt')
    assert found == [
        WEIGHTS[1],
        f'tools/demo.py --sam my sam.pt {tmp_path}',
    ]


def test_voc(commands: list[str], tmp_path: Path) -> None:
    (tmp_path / 'JPEGImages').mkdir()
    *_, photos, chain = run(commands, str(tmp_path), IMAGES='4')
    assert chain == ('tools/run_pipeline.py animals --images 4 --schedule 0.2')
    animals = ''.join(path.read_text() for path in ANIMALS.glob('*.txt'))
    names = [Path(word).stem for word in photos.split()[1:]]
    assert len(names) == 3
    assert all(name in animals for name in names)
