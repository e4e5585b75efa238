# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A run of six images, as its tools would leave it, made without a model."""

import json
from pathlib import Path

import numpy as np
import pytest

from mmfmwsss.utils.palette_png import read_label_png, write_palette_png
from mmfmwsss.workshop.partworld import PALETTE

RUN_CONFIG = """
model = dict(type='ModelOfAnotherTime')
work_dir = {work_dir!r}
test_dataloader = dict(
    dataset=dict(
        type='PartWorldImageLabelDataset', data_root={root!r}, test_mode=True
    )
)
test_evaluator = [
    dict(
        type='SeedMetric',
        prediction='fine_seed',
        output_dir='{work_dir}/fine_seed',
        ground_truth_dir={truth!r},
        split='PartWorld train',
        protocol='single scale',
    )
]
"""


def write_run(path: Path, root: Path, truth: Path | None) -> Path:
    """Seeds that get worse with the number of the image."""
    path.mkdir(parents=True)
    text = RUN_CONFIG.format(
        work_dir=str(path),
        root=str(root),
        truth=None if truth is None else str(truth),
    )
    (path / 'partworld_seed.py').write_text(text)
    for number in range(6):
        name = f'train_{number:04d}.png'
        labels = read_label_png(root / 'SegmentationClass' / name)
        rows = number * len(labels) // 6
        labels[:rows] = 0
        write_palette_png(path / 'fine_seed' / name, labels, PALETTE)
    metrics = {'fine_seed/images': 6, 'fine_seed/failed': 0, 'time': 2.5}
    record = dict(
        metrics=metrics,
        seconds=12.5,
        checkpoint='prompts <&".pth',
        date='2026-01-02T03:04:05',
    )
    (path / 'metrics.json').write_text(json.dumps(record))
    return path


@pytest.fixture
def seed_run(partworld_root: Path, tmp_path: Path) -> Path:
    """A run with ground truth."""
    truth = partworld_root / 'SegmentationClass'
    return write_run(tmp_path / 'work' / 'seed', partworld_root, truth)


@pytest.fixture
def unscored_run(partworld_root: Path, tmp_path: Path) -> Path:
    """A run on images that have no ground truth."""
    return write_run(tmp_path / 'work' / 'unscored', partworld_root, None)


@pytest.fixture
def training_run(tmp_path: Path) -> Path:
    """A training that was stopped and resumed."""
    path = tmp_path / 'work' / 'prompt'
    for stamp, steps in (('2026_1', (10, 20)), ('2026_2', (20, 30))):
        folder = path / stamp / 'vis_data'
        folder.mkdir(parents=True)
        lines = [
            json.dumps(
                dict(
                    lr=0.1,
                    loss=1.0 / step,
                    loss_mcl=0.5 / step,
                    time=0.3,
                    step=step,
                    iter=step,
                )
            )
            for step in steps
        ]
        (folder / 'scalars.json').write_text('\n'.join(lines))
    with (path / '2026_2/vis_data/scalars.json').open('a') as file:
        file.write('\n{"mIoU": 31.0, "step": 30}\n{"lr": 0.')  # cut off
    (path / 'partworld_prompt.py').write_text("model = dict(type='None')\n")
    return path


@pytest.fixture
def noise() -> np.ndarray:
    """A picture."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 255, (24, 32, 3), np.uint8)
