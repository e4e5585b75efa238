# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What the page packs goes through the commands of own photos."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mmfmwsss.apis.photo_models import build_tiny_seeder
from mmfmwsss.utils.palette_png import read_label_png
from mmfmwsss.workshop.app import PageActions, TaggingSession, TrainingFolder

ROOT = Path(__file__).parents[3]


def run(command: str, **variables: str) -> str:
    program, *arguments = command.split()
    assert program == 'python'
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, 'PYTHONPATH': str(ROOT), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout + result.stderr


@pytest.mark.slow
def test_a_packed_folder_trains_a_network(
    drawings: list[tuple[Path, list[str]]], tmp_path: Path
) -> None:
    """The masks are current, and the commands of its README.txt run."""
    # Tag two drawings with the settings of the configs, and pack them
    seeder = build_tiny_seeder()
    folder = TrainingFolder(tmp_path / 'own', seeder.settings.background)
    session = TaggingSession(seeder, folder)
    actions = PageActions(session, tmp_path / 'out', 'tiny')
    session.add([path for path, _ in drawings])
    for path, tags in drawings:
        actions.segment(path.name, ', '.join(tags))
    archive, _ = actions.archive()
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path)
    # Run what the file in it says
    text = (tmp_path / 'my_photos' / 'README.txt').read_text()
    (exports,) = re.findall(r'export (.*)', text)
    variables = dict(pair.split('=') for pair in exports.split())
    variables = {
        key: value.replace('my_photos', str(tmp_path / 'my_photos'))
        for key, value in variables.items()
    }
    assert variables['CUSTOM_MODELS'] == 'tiny'
    variables |= dict(CUSTOM_NETWORK_EPOCHS='1', CUSTOM_PROMPT_EPOCHS='1')
    masks = run(
        'python tools/test.py configs/fmwsss/custom_sam_masks.py', **variables
    )
    assert re.search(r'skipped: 2\b|2 skipped', masks), masks[-1500:]
    commands = re.findall(r'^ +(python .*)', text, re.M)
    assert len(commands) == 4
    seeds = tmp_path / 'my_photos/work/seed/fine_seed'
    made = {path.name: read_label_png(path) for path in seeds.iterdir()}
    for command in commands:
        run(command.replace('painted', str(tmp_path / 'painted')), **variables)
    for name, seed in made.items():
        predicted = tmp_path / 'my_photos/work/predictions' / name
        assert read_label_png(predicted).shape == seed.shape
        assert read_label_png(seeds / name).shape == seed.shape
