# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A chain that is killed in every stage, and goes on, gives the same files."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from mmfmwsss.compat import allow_mmengine_checkpoints
from mmfmwsss.workshop.partworld.small_runs import small_partworld_config

ROOT = Path(__file__).parents[2]
CHAIN = """
import sys
from pathlib import Path
from mmfmwsss.apis import run_reporting_user_errors
from mmfmwsss.workshop.stages import Stage, StageRunner
root = Path(sys.argv[1])
stages = [
    Stage(
        'dataset', 'draw',
        ('tools/partworld/make_dataset.py', 'data', '--train', '6', '--val', '2'),
        outputs=('data',),
    ),
    Stage('sam_masks', 'masks', ('tools/test.py', 'configs/sam_masks.py'), ('dataset',)),
    Stage('prompt', 'prompts', ('tools/train.py', 'configs/prompt.py'), ('sam_masks',)),
    Stage('seed', 'seeds', ('tools/test.py', 'configs/seed.py', 'work/prompt'), ('prompt',)),
    Stage('network', 'network', ('tools/train.py', 'configs/deeplabv3plus.py'), ('seed',)),
    Stage(
        'test', 'test',
        ('tools/test.py', 'configs/deeplabv3plus.py', 'work/deeplabv3plus', '--work-dir', 'work/test'),
        ('network',),
    ),
]
def main():
    runner = StageRunner(root, root / 'out')
    for stage in stages:
        print(stage.name, runner.run(stage), flush=True)
    return 0
run_reporting_user_errors(main)
"""  # noqa: E501
STAGES = ('dataset', 'sam_masks', 'prompt', 'seed', 'network', 'test')


def prepare(root: Path) -> None:
    """Write small configs that name their files from the root."""
    (root / 'configs').mkdir(parents=True)
    (root / 'tools').symlink_to(ROOT / 'tools')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('PARTWORLD_ROOT', 'data')
        for name in ('sam_masks', 'prompt', 'seed', 'deeplabv3plus'):
            path = ROOT / 'configs' / 'fmwsss' / f'partworld_{name}.py'
            config = small_partworld_config(path, Path('work'), iters=6)
            config.default_hooks.checkpoint.interval = 2
            config.default_hooks.seed_visualization.images = 0
            config.dump(root / 'configs' / f'{name}.py')


def start(root: Path) -> 'subprocess.Popen[str]':
    with (root / 'chain.log').open('a') as log:
        return subprocess.Popen(
            [sys.executable, '-c', CHAIN, str(root)],
            env=os.environ | dict(PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1'),
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )


def record(root: Path, stage: str) -> Path:
    return root / 'out' / 'stages' / f'{stage}.json'


def results(root: Path) -> dict[str, str]:
    """Digest of every result: files, weights, figures."""
    allow_mmengine_checkpoints()
    found = {}
    for folder in ('data', 'work/sam_masks', 'work/seed'):
        for path in sorted((root / folder).rglob('*')):
            if path.suffix in ('.jpg', '.png', '.json', '.txt'):
                if path.name in ('metrics.json', 'scalars.json'):
                    continue
                content = path.read_bytes()
                if path.parent.name.startswith('2'):  # a log
                    continue
                found[str(path.relative_to(root))] = hashlib.sha256(
                    content
                ).hexdigest()
    for name in ('prompt', 'deeplabv3plus'):
        path = root / 'work' / name / 'iter_6.pth'
        state = torch.load(path, weights_only=True)['state_dict']
        digest = hashlib.sha256()
        for key, value in state.items():
            digest.update(key.encode() + value.numpy().tobytes())
        found[name] = digest.hexdigest()
    for name in ('seed', 'test'):
        path = root / 'work' / name / 'metrics.json'
        metrics = json.loads(path.read_text())['metrics']
        found[f'{name} metrics'] = json.dumps(metrics, sort_keys=True)
    return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != 'linux', reason='stages die along there')
def test_killed_in_every_stage(tmp_path: Path) -> None:
    whole, killed = tmp_path / 'whole', tmp_path / 'killed'
    prepare(whole)
    shutil.copytree(whole, killed, symlinks=True)
    assert start(whole).wait(timeout=900) == 0, (
        whole / 'chain.log'
    ).read_text()
    dice = random.Random(0)
    kills = 0
    for stage in STAGES:
        seconds = json.loads(record(whole, stage).read_text())['seconds']
        # a stage may be twice as fast as it was in the whole run
        for share in (dice.uniform(0.2, 0.45), dice.uniform(0.5, 1.0)):
            process = start(killed)
            begun = killed / 'out' / 'stages' / f'{stage}.begun.json'
            while process.poll() is None and not begun.exists():
                time.sleep(0.02)
            time.sleep(share * seconds)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.wait(timeout=60)
    assert kills >= len(STAGES)
    assert start(killed).wait(timeout=900) == 0, (
        killed / 'chain.log'
    ).read_text()[-3000:]
    expected = results(whole)
    assert len(expected) > 6 * 7
    assert results(killed) == expected
