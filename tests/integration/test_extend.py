# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The recipes of ``docs/extend.md``: its blocks are written and run."""

import importlib
import inspect
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from open_clip import CLIP

from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils.palette_png import read_label_png
from mmfmwsss.workshop.partworld.small_runs import (
    small_partworld_config,
    write_quarter_masks,
)

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs' / 'extend.md').read_text()
BLOCKS = re.findall(r'```(?:python|yaml)\n# ([\w./]+)\n(.*?)```', PAGE, re.S)
SECTIONS = dict(part.split('\n', 1) for part in PAGE.split('\n## ')[1:])
TESTS = [name for name, _ in BLOCKS if name.startswith('test_')]


@pytest.fixture(scope='module')
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with our configs, and the blocks of the page as files."""
    root = tmp_path_factory.mktemp('project')
    shutil.copytree(ROOT / 'configs', root / 'configs')
    for name, text in BLOCKS:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace('data/by_folder', f'{root}/data'))
    (root / 'data/by_folder/classes.yaml').rename(root / 'data/classes.yaml')
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root))
        yield root


@pytest.fixture
def work(partworld_root: Path, tmp_path: Path) -> Path:
    """A work folder with masks of all images and seeds of any kind."""
    masks = tmp_path / 'sam_masks'
    write_quarter_masks(partworld_root / 'JPEGImages', masks)
    shutil.copytree(
        partworld_root / 'SegmentationClass', tmp_path / 'seed/fine_seed'
    )
    return tmp_path


@pytest.fixture
def runner_of(
    project: Path,
    work: Path,
    partworld_root: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    """Make the runner of a config of the page, of seconds."""
    monkeypatch.setenv('PARTWORLD_ROOT', str(partworld_root))

    def make(name: str) -> Runner:
        config = small_partworld_config(
            project / 'configs/fmwsss' / f'{name}.py', work
        )
        config.load_from = None
        return Runner.from_cfg(config)

    return make


def test_each_recipe_has_code_a_config_and_a_test() -> None:
    assert list(SECTIONS) == [
        'A seeder',
        'A source of masks',
        'A loss',
        'A CLIP',
        'A data set',
        'A backbone of mmpretrain',
    ]
    for title, text in SECTIONS.items():
        names = re.findall(r'```(?:python|yaml)\n# ([\w./]+)\n', text)
        assert text.count('```') == 2 * len(names), title  # all are run
        assert sum(name.startswith('configs/') for name in names) == 1
        assert sum(name.startswith('test_') for name in names) == 1
    for name, text in BLOCKS:
        lines = [line for line in text.splitlines() if line.strip()]
        assert len(lines) <= 25, name


@pytest.mark.parametrize('name', TESTS)
def test_the_test_to_copy(name: str, project: Path, tmp_path: Path) -> None:
    module = importlib.import_module(name.removesuffix('.py'))
    tests = [v for k, v in vars(module).items() if k.startswith('test_')]
    assert tests
    for number, test in enumerate(tests):
        folder = tmp_path / str(number)
        folder.mkdir()
        wanted = inspect.signature(test).parameters
        test(**{key: folder for key in wanted if key == 'tmp_path'})


def test_a_seeder(runner_of, work: Path) -> None:
    runner = runner_of('my_seed')
    assert runner.model.routes['smooth'].seeder.window == 5
    assert runner.test()['smooth/images'] == 6
    seeds = sorted((work / 'my_seed/smooth').glob('*.png'))
    assert len(seeds) == 6
    assert any(read_label_png(path).any() for path in seeds)


def test_a_source_of_masks(runner_of, work: Path) -> None:
    assert runner_of('my_masks').test()['done'] == 8
    for path in (work / 'my_masks').glob('*.json'):
        assert (SAMMasks.load(path).masks.sum(dim=0) == 1).all()


def test_a_loss(runner_of, work: Path) -> None:
    runner = runner_of('my_prompt')
    runner.train()
    stream = runner.model.stream('classification')
    assert stream.loss_module.loss_name == 'loss_ranking'
    assert (work / 'my_prompt/iter_2.pth').is_file()


def test_a_clip(runner_of, project: Path, work: Path) -> None:
    """A checkpoint of a training, converted, trains prompts."""
    file = project / 'configs/fmwsss/my_clip_prompt.py'
    clip = CLIP(**Config.fromfile(file).model.clip.arch)
    state = {f'net.{key}': value for key, value in clip.state_dict().items()}
    torch.save(dict(state_dict=state), work / 'last.ckpt')
    convert = importlib.import_module('convert_clip').convert
    convert(work / 'last.ckpt', work / 'my_clip.safetensors')
    runner = runner_of('my_clip_prompt')
    loaded = runner.model.clip.model
    assert torch.equal(loaded.visual.proj, clip.visual.proj)
    runner.train()
    assert (work / 'my_clip_prompt/iter_2.pth').is_file()


def test_a_data_set(
    runner_of, project: Path, work: Path, partworld_root: Path
) -> None:
    """Images by folder, one class each, train prompts and get seeds."""
    photos = sorted((partworld_root / 'JPEGImages').glob('*.jpg'))
    for number, photo in enumerate(photos[:4]):
        folder = project / 'data/images' / ('mug', 'cat')[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(photo, folder)
    for name in ('mug', 'cat'):
        write_quarter_masks(
            project / 'data/images' / name, work / 'sam_masks' / name
        )
    runner = runner_of('my_data_prompt')
    assert runner.model.class_prompts.classes == ('mug', 'cat')
    runner.train()
    assert (work / 'my_data_prompt/iter_2.pth').is_file()
    assert runner_of('my_data_prompt').test()['fine_seed/images'] == 4


def test_a_backbone_of_mmpretrain(runner_of, work: Path) -> None:
    runner = runner_of('my_convnext')
    assert type(runner.model.backbone).__module__.startswith('mmpretrain.')
    before = runner.model.backbone.downsample_layers[0][0].weight.clone()
    runner.train()
    after = runner.model.backbone.downsample_layers[0][0].weight
    assert not torch.equal(before, after.cpu())
    assert 0 <= runner.test()['mIoU'] <= 100
