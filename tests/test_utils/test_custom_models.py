# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Own photos get the models whose weights are there, and the log says so."""

import os
from pathlib import Path

import pytest
from mmengine.config import Config

from mmfmwsss.utils import config_files, read_config
from mmfmwsss.utils.custom_models import choose_custom_models

CONFIGS = Path(__file__).parents[2] / 'configs' / 'fmwsss'
CLIP, SAM = 'ViT-B-16.pt', 'sam_vit_h_4b8939.pth'
VARIABLES = ('CUSTOM_MODELS', 'CLIP_VIT_B16', 'SAM_VIT_H', 'SAM_ARCH')


@pytest.fixture(autouse=True)
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of weights, and no variable that names others."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'weights').mkdir()
    return tmp_path / 'weights'


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the reader of configs logs."""
    lines: list[str] = []
    monkeypatch.setattr(
        config_files, 'print_log', lambda text, **kwargs: lines.append(text)
    )
    return lines


def models_of(stage: str) -> tuple[str, ...]:
    """The networks of a stage's config."""
    config = read_config(CONFIGS / f'custom_{stage}.py')
    if stage == 'sam_masks':
        return (config.model.source.arch,)
    if stage == 'seed':
        return (config.model.clip.arch,)
    return (config.model.backbone.type,)


LAPTOP = {
    'sam_masks': ('vit_t',),
    'seed': ('photo_clip',),
    'predict': ('EfficientNetLite2',),
}
FULL = {
    'sam_masks': ('vit_h',),
    'seed': ('ViT-B-16-quickgelu',),
    'predict': ('ResNetV1c',),
}


@pytest.mark.parametrize('stage', LAPTOP)
def test_the_weights_choose_the_models_of_every_stage(
    stage: str, weights: Path, said: list[str]
) -> None:
    assert models_of(stage) == LAPTOP[stage]
    (weights / CLIP).touch()
    assert models_of(stage) == LAPTOP[stage]
    (weights / SAM).touch()
    assert models_of(stage) == FULL[stage]
    # One line each, with the reason and the command that changes it
    both, one, full = said
    assert f'weights/{CLIP} and weights/{SAM} are not there' in both
    assert f'and weights/{SAM} is not there' in one
    for line in (both, one):
        assert 'CUSTOM_MODELS=photo' in line
        assert '`export CUSTOM_MODELS=vit_b16`' in line
        assert 'tools/get_weights.py clip_vit_b16 sam_vit_h' in line
    assert 'CUSTOM_MODELS=vit_b16, for their weights are there' in full
    assert '`export CUSTOM_MODELS=photo`' in full
    assert 'CUSTOM_MODELS' not in os.environ


@pytest.mark.parametrize('models', ['vit_b16', 'tiny'])
def test_the_variable_wins(
    models: str,
    weights: Path,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (weights / CLIP).touch()
    (weights / SAM).touch()
    monkeypatch.setenv('CUSTOM_MODELS', models)
    arch = read_config(CONFIGS / 'custom_sam_masks.py').sam.arch
    assert (arch == 'vit_h') == (models == 'vit_b16')
    assert not said
    assert os.environ['CUSTOM_MODELS'] == models


@pytest.mark.parametrize('name', ['CLIP_VIT_B16', 'SAM_VIT_H'])
def test_a_path_that_is_named_asks_for_the_full_models(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its message of a missing file is better than other models."""
    monkeypatch.setenv(name, 'typing_error.pth')
    choice = choose_custom_models('CUSTOM_MODELS')
    assert choice is not None
    assert choice.models == 'vit_b16'
    assert f'for ${name} names weights' in choice.reason


def test_the_file_is_that_of_the_network_that_is_asked_for(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('SAM_ARCH', 'vit_b')
    (weights / CLIP).touch()
    (weights / SAM).touch()
    choice = choose_custom_models('CUSTOM_MODELS')
    assert choice is not None
    assert 'sam_vit_b_01ec64.pth is not there' in choice.reason


def test_other_configs_choose_nothing(said: list[str]) -> None:
    read_config(CONFIGS / 'voc_seed.py')
    assert choose_custom_models('MY_CUSTOM_MODELS = 1') is None
    # What a run has written is read as it is
    Config.fromfile(CONFIGS / 'custom_sam_masks.py').dump('dumped.py')
    dumped = read_config('dumped.py', dumped=True)
    assert dumped.sam.arch == 'vit_h'
    assert not said
