# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Mask files by ``tools/test.py``: cut off, taken up again, by many."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import atomic_path
from mmfmwsss.workshop.partworld.files import PartWorldRecord, write_partworld

ROOT = Path(__file__).parents[2]
CONFIG = 'configs/fmwsss/partworld_sam_masks.py'
IMAGES = 24


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp('world')
    write_partworld(root, PartWorldRecord(seed=7, train=IMAGES - 2, val=2))
    return root


def start(world, folder, *before, after=()):
    """Start the run; its output goes to a file."""
    environment = dict(
        PYTHONPATH=str(ROOT),
        PARTWORLD_ROOT=str(world),
        OMP_NUM_THREADS='1',
        MKL_NUM_THREADS='1',
    )
    folder.mkdir(exist_ok=True)
    with (folder / 'output.txt').open('w') as output:
        return subprocess.Popen(
            [
                sys.executable, *before, 'tools/test.py', CONFIG, *after,
                '--work-dir', str(folder / 'run'), '--cfg-options',
                f'model.output_dir={folder / "masks"}',
                'test_dataloader.num_workers=0',
                'test_dataloader.persistent_workers=False',
            ],
            cwd=ROOT,
            env=os.environ | environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )  # fmt: skip


def finish(process, folder):
    """Wait for a run to end well; its metrics."""
    code = process.wait(timeout=500)
    assert code == 0, (folder / 'output.txt').read_text()[-3000:]
    return json.loads((folder / 'run' / 'metrics.json').read_text())['metrics']


def results(folder):
    """The mask files; a file that is being written has a hidden name."""
    found = (folder / 'masks').glob('*.json')
    return sorted(path for path in found if not path.name.startswith('.'))


@pytest.fixture(scope='module')
def whole(world, tmp_path_factory):
    """A run that nothing disturbs."""
    folder = tmp_path_factory.mktemp('whole')
    metrics = finish(start(world, folder), folder)
    assert metrics['done'] == IMAGES
    return folder


@pytest.mark.slow
def test_killed_in_the_middle_leaves_no_half_file(world, whole, tmp_path):
    process = start(world, tmp_path)
    deadline = time.monotonic() + 200
    while len(results(tmp_path)) < 3 and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    before = {path.name: path.stat().st_mtime_ns for path in results(tmp_path)}
    assert 3 <= len(before) < IMAGES
    for path in results(tmp_path):
        assert path.read_bytes() == (whole / 'masks' / path.name).read_bytes()
        SAMMasks.load(path)
    # What a kill in the middle of a write leaves.
    missing = next(
        path.name
        for path in results(whole)
        if not (tmp_path / 'masks' / path.name).exists()
    )
    with (  # noqa: PT012  the interrupt comes after the write
        pytest.raises(KeyboardInterrupt),
        atomic_path(tmp_path / 'masks' / missing) as temporary,
    ):
        temporary.write_text('{"format": "mmfmwsss-sam-masks", "vers')
        half = tmp_path / 'masks' / f'{temporary.stem}.left{temporary.suffix}'
        os.link(temporary, half)
        raise KeyboardInterrupt

    metrics = finish(start(world, tmp_path), tmp_path)
    assert metrics['images'] == IMAGES
    assert metrics['skipped'] == len(before)
    assert metrics['done'] == IMAGES - len(before)
    assert metrics['failed'] == 0
    for name, changed in before.items():
        assert (tmp_path / 'masks' / name).stat().st_mtime_ns == changed
    assert_same_files(tmp_path, whole)
    # The report counts the masks of skipped images too.
    counts = [SAMMasks.load(path).level_counts() for path in results(whole)]
    for place, level in enumerate(('subpart', 'part', 'whole')):
        total = sum(count[place] for count in counts)
        assert metrics[f'masks_{level}'] == total
    total = sum(map(sum, counts))
    assert metrics['masks_per_image'] == pytest.approx(
        total / IMAGES, abs=0.01
    )
    text = (tmp_path / 'output.txt').read_text()
    assert re.search(rf'done {IMAGES - len(before)}, skipped', text)


def assert_same_files(folder, reference):
    names = [path.name for path in results(folder)]
    assert names == [path.name for path in results(reference)]
    assert len(names) == IMAGES
    for name in names:
        ours = (folder / 'masks' / name).read_bytes()
        assert ours == (reference / 'masks' / name).read_bytes()


@pytest.mark.slow
def test_two_processes_make_the_same_files(world, whole, tmp_path):
    torchrun = ('-m', 'torch.distributed.run', '--standalone')
    process = start(
        world, tmp_path, *torchrun, '--nproc_per_node=2',
        after=('--launcher', 'pytorch'),
    )  # fmt: skip
    metrics = finish(process, tmp_path)
    assert metrics['images'] == metrics['done'] == IMAGES
    assert_same_files(tmp_path, whole)
