# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Every config is complete: its model, data sets and metrics build."""

import io
import re
import tokenize
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.hooks import Hook
from mmseg.registry import DATASETS, HOOKS, METRICS, MODELS, TRANSFORMS
from open_clip import create_model
from segment_anything import sam_model_registry
from torch import nn

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / 'configs' / 'fmwsss').glob('*.py'))
ALL = sorted((ROOT / 'configs').rglob('*.py'))


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT / 'configs')) for path in paths]


@pytest.fixture(autouse=True)
def _no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that need a user's weights are built without them, small."""

    def small_clip(arch: object, checkpoint: object) -> tuple[nn.Module, str]:
        name = arch if isinstance(arch, str) else 'ViT-B-32'
        assert isinstance(arch, (str, dict))
        assert checkpoint
        return create_model(name, pretrained=None), name

    def small_sam(arch: object, checkpoint: object) -> nn.Module:
        assert isinstance(arch, dict) or arch in sam_model_registry
        assert checkpoint
        return nn.Linear(1, 1)

    monkeypatch.setattr(
        'mmfmwsss.models.clip.frozen_clip.build_clip', small_clip
    )
    masks = 'mmfmwsss.models.masks.sam_everything'
    monkeypatch.setattr(f'{masks}.build_sam', small_sam)
    monkeypatch.setattr(f'{masks}.resolve_path', lambda path, remedy: path)
    monkeypatch.setattr(f'{masks}.sha256_of', lambda path: 'not there')


@pytest.mark.parametrize('path', CONFIGS, ids=names(CONFIGS))
def test_config_builds(path: Path) -> None:
    config = Config.fromfile(path)
    assert MODELS.build(config.model) is not None
    for key in ('train_dataloader', 'test_dataloader'):
        if config.get(key) is None:
            continue
        dataset = config[key].dataset
        assert dataset.type in DATASETS
        for transform in dataset.pipeline:
            assert TRANSFORMS.build(transform) is not None
    evaluators = config.test_evaluator
    for metric in evaluators if isinstance(evaluators, list) else [evaluators]:
        assert METRICS.build(metric) is not None
    for hook in config.custom_hooks:
        assert isinstance(HOOKS.build(hook), Hook)


@pytest.mark.parametrize('path', CONFIGS, ids=names(CONFIGS))
def test_head_comment_says_what_how_and_at_what_cost(path: Path) -> None:
    head = path.read_text().split('_base_')[0]
    assert re.search(r'^# Run:   python tools/(train|test)\.py', head, re.M)
    assert f'configs/fmwsss/{path.name}' in head
    assert '# Cost:  ' in head
    assert 'FILL' not in head


@pytest.mark.parametrize('path', ALL, ids=names(ALL))
def test_config_style(path: Path) -> None:
    assert re.fullmatch(r'[a-z0-9_]+\.py', path.name)
    text = path.read_text()
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    assert not any(t.string in ('import', 'lambda') for t in tokens)
    assert 'mmseg::' not in text  # does not resolve with the onedl packages


@pytest.mark.parametrize('path', CONFIGS, ids=names(CONFIGS))
def test_class_weights_fit_the_classes(path: Path) -> None:
    head = Config.fromfile(path).model.get('decode_head', {})
    if head.get('type') == 'Mask2FormerHead':
        assert len(head.loss_cls.class_weight) == head.num_classes + 1
