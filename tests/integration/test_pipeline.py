# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The whole chain on six pictures: masks, prompts, seeds, network, SAMS."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader, Runner
from PIL import Image

from mmfmwsss.compat import allow_mmengine_checkpoints
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils.palette_png import read_label_png
from mmfmwsss.workshop.partworld.small_runs import small_partworld_config

CONFIGS = Path(__file__).parents[2] / 'configs' / 'fmwsss'


@pytest.fixture(scope='module')
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp('work')


def load(name: str, root: Path, work: Path, iters: int = 2) -> Config:
    """A PartWorld config on the small world, below a temporary folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('PARTWORLD_ROOT', str(root))
        return small_partworld_config(
            CONFIGS / f'partworld_{name}.py', work, iters
        )


def run(config: Config, checkpoint: Path | None = None) -> dict[str, Any]:
    config.load_from = None if checkpoint is None else str(checkpoint)
    return Runner.from_cfg(config).test()


@pytest.fixture(scope='module')
def masks(partworld_root: Path, work: Path) -> dict[str, Any]:
    return run(load('sam_masks', partworld_root, work))


@pytest.fixture(scope='module')
def prompts(masks: dict[str, Any], partworld_root: Path, work: Path) -> Path:
    Runner.from_cfg(load('prompt', partworld_root, work)).train()
    return work / 'prompt' / 'iter_2.pth'


@pytest.fixture(scope='module')
def seeds(prompts: Path, partworld_root: Path, work: Path) -> dict[str, Any]:
    return run(load('seed', partworld_root, work), prompts)


def test_masks(
    masks: dict[str, Any], partworld_root: Path, work: Path
) -> None:
    assert (masks['images'], masks['done'], masks['failed']) == (8, 8, 0)
    for path in (work / 'sam_masks').glob('*.json'):
        picture = partworld_root / 'JPEGImages' / f'{path.stem}.jpg'
        loaded = SAMMasks.load(path)
        assert loaded.size == Image.open(picture).size[::-1]
    again = run(load('sam_masks', partworld_root, work))
    assert (again['done'], again['skipped']) == (0, 8)


def test_prompts(prompts: Path) -> None:
    allow_mmengine_checkpoints()  # mmengine adds its log history
    saved = torch.load(prompts, weights_only=True)['state_dict']
    assert all('.prompts.' in key for key in saved)


def test_seeds(
    seeds: dict[str, Any], partworld_root: Path, work: Path
) -> None:
    routes = ('fine_seed', 'coarse_seed', 'cam', 'cam_caa')
    for route in routes:
        assert 0 <= seeds[f'{route}/mIoU'] <= 100
        assert seeds[f'{route}/images'] == 6
    labels = dict(
        line.split(maxsplit=1)
        for line in (partworld_root / 'image_labels.txt').open()
    )
    for kind in ('fine_seed', 'coarse_seed'):
        paths = sorted((work / 'seed' / kind).glob('*.png'))
        assert len(paths) == 6
        for path in paths:
            picture = Image.open(path)
            assert picture.mode == 'P'
            found = set(np.unique(read_label_png(path)).tolist()) - {0}
            assert len(found) <= len(labels[path.stem].split())


def test_manual_prompts_need_no_checkpoint(
    masks: dict[str, Any], partworld_root: Path, work: Path
) -> None:
    metrics = run(load('manual_prompt', partworld_root, work))
    assert metrics['fine_seed/images'] == 6


@pytest.mark.parametrize('network', ['deeplabv3plus', 'mask2former'])
def test_network_trains_on_the_seeds(
    network: str, seeds: dict[str, Any], partworld_root: Path, work: Path
) -> None:
    config = load(network, partworld_root, work)
    Runner.from_cfg(config).train()
    checkpoint = work / network / 'iter_2.pth'
    metrics = run(load(network, partworld_root, work), checkpoint)
    assert 0 <= metrics['mIoU'] <= 100


def test_refinement_loads_the_networks_checkpoint(
    seeds: dict[str, Any], partworld_root: Path, work: Path
) -> None:
    checkpoint = work / 'deeplabv3plus' / 'iter_2.pth'
    if not checkpoint.exists():
        Runner.from_cfg(load('deeplabv3plus', partworld_root, work)).train()
    config = load('deeplabv3plus_sams', partworld_root, work)
    metrics = run(config, checkpoint)
    assert 0 <= metrics['mIoU'] <= 100


def test_training_resumes_to_the_same_prompts(
    masks: dict[str, Any], partworld_root: Path, work: Path
) -> None:
    """Stopping after two of four iterations changes nothing."""

    def train(folder: str, iters: int, resume: bool) -> dict[str, Any]:
        config = load('prompt', partworld_root, work, iters)
        # Random crops would differ: the state of NumPy is not saved.
        config.train_dataloader.sampler = dict(
            type='InfiniteSampler', shuffle=False
        )
        read, masks, *_, pack = config.train_dataloader.dataset.pipeline
        resize = dict(type='Resize', scale=(112, 112), keep_ratio=False)
        config.train_dataloader.dataset.pipeline = [
            read,
            masks,
            resize,
            pack,
        ]
        config.train_dataloader.batch_size = 6
        config.work_dir, config.resume = str(work / folder), resume
        Runner.from_cfg(config).train()
        path = work / folder / f'iter_{iters}.pth'
        return CheckpointLoader.load_checkpoint(str(path))['state_dict']

    whole = train('whole', 4, resume=False)
    train('parts', 2, resume=False)
    parts = train('parts', 4, resume=True)
    for name, value in whole.items():
        torch.testing.assert_close(value, parts[name], rtol=1e-3, atol=1e-5)
