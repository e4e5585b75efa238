# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The activation that belongs to open_clip's files."""

import json
import logging
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch

from mmfmwsss.models.clip import build_clip
from mmfmwsss.models.clip.open_clip_config import open_clip_quick_gelu
from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop.tiny_models import random_clip, random_clip_arch

HUB_FILE = 'open_clip_pytorch_model.bin'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file as the hub gives it, and two small architectures by name."""
    configs = open_clip.factory._MODEL_CONFIGS
    for name, quick in (('small', False), ('small-quickgelu', True)):
        config = dict(random_clip_arch(), quick_gelu=quick)
        monkeypatch.setitem(configs, name, config)
    torch.save(random_clip().model.state_dict(), tmp_path / HUB_FILE)
    return tmp_path


def note(folder: Path, content: Any) -> None:
    (folder / 'open_clip_config.json').write_text(json.dumps(content))


@pytest.mark.parametrize(
    ('settings', 'arch', 'expected'),
    [
        ({}, 'small', 'GELU'),
        ({'quick_gelu': True}, 'small', 'QuickGELU'),
        ({'quick_gelu': True}, 'small-quickgelu', 'QuickGELU'),
    ],
)
def test_the_config_decides(
    settings: dict[str, bool],
    arch: str,
    expected: str,
    folder: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    note(folder, dict(model_cfg=settings))
    caplog.set_level(logging.WARNING)
    model, _ = build_clip(arch, str(folder / HUB_FILE))
    block = model.visual.transformer.resblocks[0]
    assert type(block.mlp.gelu).__name__ == expected
    assert 'initialized randomly' not in caplog.text
    logging.getLogger().warning('initialized randomly')  # by others
    assert 'initialized randomly' in caplog.text


def test_gelu_under_quick_gelu_is_refused(folder: Path) -> None:
    note(folder, dict(model_cfg=dict(embed_dim=512), preprocess_cfg={}))
    with pytest.raises(UserInputError, match="says GELU.*to 'small'"):
        build_clip('small-quickgelu', str(folder / HUB_FILE))


def test_a_file_of_the_hub_without_its_config(folder: Path) -> None:
    path = folder / HUB_FILE
    with pytest.raises(UserInputError, match='open_clip_config.json beside'):
        build_clip('small-quickgelu', str(path))
    build_clip('small-quickgelu', str(path.rename(folder / 'mine.bin')))


@pytest.mark.parametrize(
    'content', [[], {}, dict(model_cfg=1), dict(model_cfg=dict(quick_gelu=3))]
)
def test_a_config_of_another_kind(content: Any, folder: Path) -> None:
    note(folder, content)
    with pytest.raises(UserInputError, match="with 'model_cfg'"):
        build_clip('small', str(folder / HUB_FILE))


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('ViT-B-16.pt', True),
        ('vit_b_16-laion400m_e32-55e67d44.pt', False),
        ('vit_b_32-quickgelu-laion400m_e32-46683a32.pt', True),
        ('anything.pt', None),
    ],
)
def test_published_names(
    name: str, expected: bool | None, tmp_path: Path
) -> None:
    assert open_clip_quick_gelu(tmp_path / name) is expected
