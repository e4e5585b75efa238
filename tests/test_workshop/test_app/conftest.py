# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A session on pictures of PartWorld, with the tiny models."""

from pathlib import Path

import pytest

from mmfmwsss.apis.photo_models import build_tiny_seeder
from mmfmwsss.apis.seed_one_photo import PhotoSeeder
from mmfmwsss.workshop.app import TaggingSession, TrainingFolder


@pytest.fixture(scope='session')
def tiny_seeder() -> PhotoSeeder:
    return build_tiny_seeder(8)


@pytest.fixture
def drawings(partworld_root: Path) -> list[tuple[Path, list[str]]]:
    """Two pictures and their tags."""
    lines = (partworld_root / 'image_labels.txt').read_text().splitlines()
    pairs = [line.split() for line in lines[:2]]
    return [
        (partworld_root / f'JPEGImages/{name}.jpg', tags)
        for name, *tags in pairs
    ]


@pytest.fixture
def session(tiny_seeder: PhotoSeeder, tmp_path: Path) -> TaggingSession:
    background = tiny_seeder.settings.background
    folder = TrainingFolder(tmp_path / 'own', background)
    return TaggingSession(tiny_seeder, folder)
