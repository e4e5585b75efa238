# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Every config is complete: its model, data sets and metrics build."""

import copy
import io
import re
import tokenize
from functools import cache, partial
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmseg.apis import MMSegInferencer, init_model
from mmseg.registry import DATASETS, HOOKS, METRICS, TRANSFORMS
from open_clip import create_model
from segment_anything import sam_model_registry
from torch import nn

from mmfmwsss.apis import fill_num_classes
from mmfmwsss.datasets import get_class_prompts
from mmfmwsss.models.clip import PHOTO_CLIP
from mmfmwsss.utils.config_variables import CHOICES

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / 'configs' / 'fmwsss').rglob('*.py'))
ALL = sorted((ROOT / 'configs').rglob('*.py'))
# Shared by others, and no run of their own.
SETTINGS = ('custom.py',)
RUNS = [path for path in CONFIGS if path.name not in SETTINGS]


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT / 'configs')) for path in paths]


@cache
def random_clip(name: str) -> nn.Module:
    """Built once: no config changes its weights."""
    return create_model(name, pretrained=None)


@pytest.fixture(autouse=True)
def _no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that need a user's weights are built without them, small."""

    def small_clip(
        arch: object, checkpoint: object, stem_checkpoint: object
    ) -> tuple[nn.Module, str]:
        name = arch if isinstance(arch, str) else 'ViT-B-32'
        if arch == PHOTO_CLIP:
            name = 'ViT-B-32'
        assert isinstance(arch, (str, dict))
        assert checkpoint
        assert stem_checkpoint is None or arch == PHOTO_CLIP
        return random_clip(name), name

    def small_sam(arch: object, checkpoint: object) -> nn.Module:
        assert isinstance(arch, dict) or arch in (*sam_model_registry, 'vit_t')
        assert checkpoint
        return nn.Linear(1, 1)

    monkeypatch.setattr(
        'mmfmwsss.models.clip.frozen_clip.build_clip', small_clip
    )
    masks = 'mmfmwsss.models.masks.sam_everything'
    monkeypatch.setattr(f'{masks}.build_sam', small_sam)
    monkeypatch.setattr(f'{masks}.resolve_path', lambda path, remedy: path)
    monkeypatch.setattr(f'{masks}.sha256_of', lambda path: 'not there')


@pytest.fixture(autouse=True)
def _own_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the class names of own photos."""
    (tmp_path / 'classes.yaml').write_text(
        'classes: [cat, dog]\nbackground: [wall]\n'
    )
    monkeypatch.setenv('CUSTOM_ROOT', str(tmp_path))


def build_model(config: Config) -> nn.Module:
    """Build it by mmseg; networks of full size without memory for weights."""
    if not config.model.type.endswith(('EncoderDecoder', 'RefinedSegmentor')):
        return init_model(config, device='cpu')
    linspace = partial(torch.linspace, device='cpu')  # mmseg reads its values
    with (
        pytest.MonkeyPatch.context() as patch,
        torch.device('meta'),
    ):
        patch.setattr(torch, 'linspace', linspace)
        patch.setattr(nn.Module, 'to', lambda self, device: self)
        return init_model(config, device='cpu')


def check(path: Path) -> None:
    """Build everything that a config describes, or see that it is known."""
    config = Config.fromfile(path)
    assert build_model(config) is not None
    fill_num_classes(config)
    if config.model.type != 'SAMMaskGenerator':
        assert config.test_pipeline == config.test_dataloader.dataset.pipeline
        inferencer = MMSegInferencer.__new__(MMSegInferencer)
        assert inferencer._init_pipeline(copy.deepcopy(config)) is not None
    for key in ('train_dataloader', 'test_dataloader'):
        if config.get(key) is None:
            continue
        dataset = config[key].dataset
        assert dataset.type in DATASETS
        dataset = dataset.get('dataset', dataset)
        assert dataset.type in DATASETS
        for transform in dataset.pipeline:
            assert TRANSFORMS.build(transform) is not None
    evaluators = config.get('test_evaluator', [])
    for metric in evaluators if isinstance(evaluators, list) else [evaluators]:
        assert METRICS.build(metric) is not None
    for hook in config.custom_hooks:
        assert isinstance(HOOKS.build(hook), Hook)


@pytest.mark.parametrize('path', RUNS, ids=names(RUNS))
def test_config_builds(path: Path) -> None:
    check(path)


OWN = [path for path in RUNS if path.name.startswith('custom')]


@pytest.mark.parametrize('models', ['photo', 'tiny'])
@pytest.mark.parametrize('path', OWN, ids=names(OWN))
def test_own_photos_with_the_small_models(
    path: Path, models: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('CUSTOM_MODELS', models)
    check(path)


@pytest.mark.parametrize('models', CHOICES['CUSTOM_MODELS'])
def test_sizes_for_own_photos_fit_each_other(
    models: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('CUSTOM_MODELS', models)
    config = Config.fromfile(ROOT / 'configs/fmwsss/custom_deeplabv3plus.py')
    assert config.model.data_preprocessor['size'] == config.network_crop
    assert min(config.network_scale) >= max(config.network_crop)
    images = config.auto_scale_lr.base_batch_size
    assert config.train_dataloader.batch_size == images
    low, high = config.prompt_sides
    assert config.prompt_crop <= low <= high
    assert config.prompt_crop % config.patch_size == 0


@pytest.mark.parametrize('path', CONFIGS, ids=names(CONFIGS))
def test_head_comment_says_what_how_and_at_what_cost(path: Path) -> None:
    head = path.read_text().split('\n_base_')[0]
    assert re.search(r'^# Run:   python tools/(train|test)\.py', head, re.M)
    assert str(path.relative_to(ROOT)) in head
    assert '# Cost:  ' in head
    assert 'FILL' not in head


@pytest.mark.parametrize('path', ALL, ids=names(ALL))
def test_config_style(path: Path) -> None:
    assert re.fullmatch(r'[a-z0-9_]+\.py', path.name)
    text = path.read_text()
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    assert not any(t.string in ('import', 'lambda') for t in tokens)
    assert 'mmseg::' not in text  # does not resolve with the onedl packages


BASES = ROOT / 'configs' / '_base_'
MOST_STEPS = 3
LONGEST_COPY = 8  # lines of code
VARIANTS = [
    {},
    {'CUSTOM_MODELS': 'photo'},
    {'CUSTOM_MODELS': 'tiny'},
    {'ABLATION_DATASET': 'voc', 'ABLATION_NETWORK': 'voc_mask2former_swin_l'},
    {'ABLATION_DATASET': 'animals', 'ABLATION_NETWORK': 'animals_mask2former'},
    {
        'ABLATION_DATASET': 'coco',
        'ABLATION_NETWORK': 'coco_mask2former_swin_l',
    },
]


def bases_of(path: Path) -> list[Path]:
    found = Config._get_base_files(str(path))
    return [(path.parent / base).resolve() for base in found]


def steps_of(path: Path) -> int:
    return max((1 + steps_of(base) for base in bases_of(path)), default=0)


@pytest.mark.parametrize('variables', VARIANTS, ids=str)
def test_inheritance_is_shallow_and_ours(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    deep = {path.name: steps_of(path) for path in ALL}
    assert max(deep.values()) == MOST_STEPS, deep
    for path in ALL:
        for base in bases_of(path):
            assert base in ALL
            # What several runs share stands below _base_.
            assert BASES in base.parents or BASES not in path.parents


def code_of(path: Path) -> list[str]:
    """Lines of code without the list of bases, which names and copies none."""
    code = re.sub(
        r'^_base_ = \[.*?^\]$', '', path.read_text(), flags=re.M | re.S
    )
    lines = [line.partition('  #')[0].strip() for line in code.splitlines()]
    return [line for line in lines if line and not line.startswith('#')]


def copied(paths: dict[str, list[str]], length: int) -> list[tuple[str, str]]:
    """Pairs of files that have as many lines in a row in common."""
    first: dict[tuple[str, ...], str] = {}
    pairs = []
    for name, lines in paths.items():
        for start in range(len(lines) - length + 1):
            window = tuple(lines[start : start + length])
            if first.setdefault(window, name) != name:
                pairs.append((first[window], name))
    return pairs


def test_no_config_repeats_another() -> None:
    code = {
        name: code_of(path) for name, path in zip(names(ALL), ALL, strict=True)
    }
    assert not copied(code, LONGEST_COPY + 1)


def test_copies_are_found() -> None:
    code = {'a': ['w', 'x', 'y', 'z'], 'b': ['x', 'y', 'q'], 'c': ['y', 'x']}
    assert copied(code, 2) == [('a', 'b')]
    assert not copied(code, 3)


NETWORKS = ('deeplabv3plus', 'mask2former', 'network', 'predict')
STAGE2 = [p for p in RUNS if any(name in p.stem for name in NETWORKS)]


@pytest.mark.parametrize('path', STAGE2, ids=names(STAGE2))
def test_networks_have_as_many_outputs_as_the_data_has_labels(
    path: Path,
) -> None:
    config = Config.fromfile(path)
    fill_num_classes(config)
    model = config.model.get('segmentor', config.model)
    dataset = config.train_dataloader.dataset
    dataset = dataset.get('dataset', dataset)
    kind = dataset.type.removesuffix('SegDataset').lower()
    prompts = dataset.get('class_prompts', kind)
    labels = len(get_class_prompts(prompts).labels)
    head = model.decode_head
    assert head.num_classes == labels
    assert model.get('auxiliary_head', head).num_classes == labels
    if head.type == 'Mask2FormerHead':
        assert len(head.loss_cls.class_weight) == labels + 1


@pytest.mark.parametrize('path', STAGE2, ids=names(STAGE2))
def test_schedules_end_with_the_training(path: Path) -> None:
    config = Config.fromfile(path)
    schedules = config.param_scheduler
    last = config.train_cfg.get(
        'max_iters', config.train_cfg.get('max_epochs')
    )
    assert max(schedule.end for schedule in schedules) == last


@pytest.mark.parametrize('path', RUNS, ids=names(RUNS))
def test_a_weakly_supervised_stage_is_given_no_masks(path: Path) -> None:
    """Ground truth is named where it is scored, or trains an upper bound."""
    config = Config.fromfile(path)
    if config.get('train_dataloader') is None:
        return
    training = str(config.train_dataloader)
    if path.stem.endswith('_supervised'):
        assert 'SegDataset' in training
    else:
        assert 'SegmentationClass' not in training
        assert 'SegDataset' not in training
        assert 'GroundTruth' not in training
        assert config.train_cfg.val_interval >= 10**9
