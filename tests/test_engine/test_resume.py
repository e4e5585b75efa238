# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A resumed training repeats the uninterrupted one, to the last bit."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader

CONFIGS = Path(__file__).parents[2] / 'configs' / 'fmwsss'
Losses = dict[int, dict[str, float]]


def resume(config: Config, whole: Config, file: str) -> Config:
    """Stop was after ``file``: that is all there is."""
    shutil.rmtree(config.work_dir, ignore_errors=True)
    config.load_from = str(Path(whole.work_dir) / file)
    config.resume = True
    return config


def assert_same(resumed: Losses, whole: Losses, first: int, last: int) -> None:
    assert sorted(whole) == list(range(last))
    assert sorted(resumed) == list(range(first, last))
    for number, losses in resumed.items():
        assert losses == whole[number], number


@pytest.mark.parametrize(
    'num_workers', [0, pytest.param(2, marks=pytest.mark.slow)]
)
def test_by_iteration(
    num_workers: int,
    prompt_config: Callable[..., Config],
    train: Callable[[Config], Losses],
    prompts_of: Callable[[Config, str], dict[str, Any]],
) -> None:
    # 6 pictures in batches of 4: the passes end within batches.
    def make(name: str, workers: int) -> Config:
        return prompt_config(name, iters=5, batch_size=4, num_workers=workers)

    whole = make('whole', num_workers)
    losses = train(whole)
    for start in (2,) if num_workers else (2, 4):
        # The number of workers may change, too.
        config = resume(
            make(f'resumed_{start}', 0), whole, f'iter_{start}.pth'
        )
        assert_same(train(config), losses, start, 5)
        ours = prompts_of(config, 'iter_5.pth')
        for name, value in prompts_of(whole, 'iter_5.pth').items():
            assert torch.equal(ours[name], value)
    values = [value['loss'] for value in losses.values()]
    assert len(set(values)) == 5  # something is learnt, views differ


@pytest.mark.slow
def test_by_epoch(
    prompt_config: Callable[..., Config],
    train: Callable[[Config], Losses],
    prompts_of: Callable[[Config, str], dict[str, Any]],
) -> None:
    def make(name: str, workers: int) -> Config:
        config = prompt_config(name, batch_size=3, num_workers=workers)
        config.train_cfg = dict(by_epoch=True, max_epochs=3)
        config.train_dataloader.sampler.infinite = False
        config.default_hooks.checkpoint.update(by_epoch=True, interval=1)
        config.param_scheduler = [
            dict(type='CosineAnnealingLR', begin=0, end=3, eta_min=0.0)
        ]
        return config

    whole = make('whole', 2)
    losses = train(whole)
    config = resume(make('resumed', 0), whole, 'epoch_1.pth')
    assert_same(train(config), losses, 2, 6)
    ours = prompts_of(config, 'epoch_3.pth')
    for name, value in prompts_of(whole, 'epoch_3.pth').items():
        assert torch.equal(ours[name], value)


NETWORKS = {
    'partworld_deeplabv3plus': ('iter', 5),
    'partworld_mask2former': ('iter', 5),
    'custom_deeplabv3plus': ('epoch', 3),  # of fixed length
}


@pytest.mark.slow
@pytest.mark.parametrize('num_workers', [0, 2])
@pytest.mark.parametrize('name', NETWORKS)
def test_networks(
    name: str,
    num_workers: int,
    network_config: Callable[..., Config],
    train: Callable[[Config], Losses],
    state_of: Callable[[Config, str], dict[str, Any]],
) -> None:
    """Every tensor, with workers and without, by iteration and by epoch."""
    unit, last = NETWORKS[name]
    whole = network_config(name, 'whole', num_workers)
    losses = train(whole)
    values = [value['loss'] for value in losses.values()]
    assert len(set(values)) == len(values)
    # The number of workers may change, too.
    config = network_config(name, 'resumed', 2 - num_workers)
    config = resume(config, whole, f'{unit}_2.pth')
    resumed = train(config)
    assert resumed == {i: losses[i] for i in losses if i >= min(resumed)}
    assert 0 < len(resumed) < len(losses)
    ours = state_of(config, f'{unit}_{last}.pth')
    theirs = state_of(whole, f'{unit}_{last}.pth')
    assert ours.keys() == theirs.keys()
    assert [k for k in ours if not torch.equal(ours[k], theirs[k])] == []
    before = state_of(whole, f'{unit}_2.pth')
    assert any(not torch.equal(before[k], theirs[k]) for k in theirs)


RANDOM = re.compile('Random|PhotoMetric|Jitter|CutOut|Mosaic|Albu')
TRAINED = sorted(
    path
    for path in CONFIGS.rglob('*.py')
    if path.name not in ('custom.py', 'mask_settings.py')
)


@pytest.mark.parametrize('path', TRAINED, ids=lambda path: path.stem)
def test_every_config_ties_its_randomness_to_the_draw(path: Path) -> None:
    config = Config.fromfile(path)
    loader = config.get('train_dataloader')
    if loader is None:
        pytest.skip('trains nothing')
    assert loader.sampler.type == 'ReproducibleSampler'
    by_epoch = config.train_cfg.get('by_epoch', False)
    assert loader.sampler.get('infinite', False) != by_epoch
    dataset = loader.dataset
    dataset = dataset.get('dataset', dataset)
    steps = [step.type for step in dataset.pipeline]
    start = steps.index('ReproducibleAugmentation')
    assert not any(RANDOM.search(step) for step in steps[:start])
    assert any(RANDOM.search(step) for step in steps[start:])
    assert 'ReproducibleIterationHook' in [
        hook.type for hook in config.default_hooks.values()
    ]


def start(
    work: Path, root: Path, config: str, *arguments: str
) -> subprocess.Popen[bytes]:
    """``tools/train.py`` on 6 pictures and their truth, in its own group."""
    command = [
        sys.executable, 'tools/train.py', f'configs/fmwsss/{config}.py',
        '--work-dir', str(work), *arguments, '--cfg-options',
        'train_cfg.max_iters=12', 'train_dataloader.batch_size=4',
        'default_hooks.checkpoint.interval=2',
        'default_hooks.checkpoint.max_keep_ckpts=1',
        f'train_dataloader.dataset.seed_dir={root}/SegmentationClass',
    ]  # fmt: skip
    return subprocess.Popen(
        command,
        cwd=CONFIGS.parents[1],
        env={**os.environ, 'PARTWORLD_ROOT': str(root)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    'config', ['partworld_deeplabv3plus', 'partworld_mask2former']
)
def test_a_network_that_is_killed(
    config: str, partworld_root: Path, tmp_path: Path
) -> None:
    """kill -9 after a checkpoint, then --resume: byte for byte the same."""
    whole, stopped = tmp_path / 'whole', tmp_path / 'stopped'
    assert start(whole, partworld_root, config).wait() == 0
    process = start(stopped, partworld_root, config)
    while not (stopped / 'last_checkpoint').is_file():
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (stopped / 'iter_12.pth').exists()
    assert start(stopped, partworld_root, config, '--resume').wait() == 0
    ours, theirs = (
        CheckpointLoader.load_checkpoint(str(folder / 'iter_12.pth'))
        for folder in (stopped, whole)
    )
    assert ours['state_dict'].keys() == theirs['state_dict'].keys()
    for name, value in theirs['state_dict'].items():
        found = ours['state_dict'][name]
        assert found.numpy().tobytes() == value.numpy().tobytes(), name
    # The killed run's checkpoints are gone, too.
    assert [path.name for path in stopped.glob('*.pth')] == ['iter_12.pth']
