# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Estimated hours: the arithmetic by hand, and the page that quotes it."""

import re
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from torch import nn

from mmfmwsss.datasets import get_class_prompts

ROOT = Path(__file__).parents[2]
TOOL = run_path(str(ROOT / 'tools' / 'benchmarks' / 'flops.py'))
# As the tool prints them: 10^9 operations of a forward pass.
COUNTS = SimpleNamespace(
    sam_encoder=5961.1,
    sam_point=3.6,
    clip_crop=35.1,
    clip_photo=140.1,
    clip_text=6.0,
    deeplab=507.5,
    deeplab_photo=681.7,
    mask2former=500.2,
    mask2former_photo=662.8,
)


def test_count() -> None:
    """Two operations for each of 3 x 5 weights and 7 rows."""
    layer = nn.Linear(3, 5)
    assert TOOL['count'](lambda: layer(torch.ones(7, 3))) == 210e-9


def test_work_by_hand() -> None:
    # 36 x 10^15 operations at 10^13 a second are an hour
    work = TOOL['Work']
    assert work(36.0).hours(1, 10.0) == pytest.approx(1.0)
    assert work(36.0).hours(8, 10.0) == pytest.approx(0.125)
    assert work(36.0, most=4).hours(8, 10.0) == pytest.approx(0.25)
    assert work(0.0, 36.0).hours(8, 10.0) == pytest.approx(1.0)


def test_masks_and_training_by_hand() -> None:
    found = TOOL['stage_work'](COUNTS, 'VOC 2012')
    masks = 10582 * (5 * 5961.1 + 2048 * 3.6) / 1e6
    assert found['masks of train'].shared == pytest.approx(masks)
    training = 40_000 * 16 * 3 * 507.5 / 1e6
    assert found['DeepLabV3+, training'].shared == pytest.approx(training)


def test_sizes_are_those_of_the_configs() -> None:
    for name, short, prompts in (
        ('VOC 2012', 'voc', 'voc12'),
        ('COCO 2014', 'coco', 'coco14'),
    ):
        _, _, rows, epochs, deeplab, former = TOOL['DATA_SETS'][name]
        folder = ROOT / 'configs/fmwsss'
        config = Config.fromfile(folder / f'{short}_prompt.py')
        assert config.train_cfg.max_epochs == epochs
        for network, length, batch in (
            ('deeplabv3plus_r101', deeplab, TOOL['BATCH']),
            ('mask2former_swin_l', former, TOOL['FORMER_BATCH']),
        ):
            config = Config.fromfile(folder / f'{short}_{network}.py')
            assert config.train_cfg.max_iters == length
            assert config.train_dataloader.batch_size == batch
        named = get_class_prompts(prompts)
        assert len(named.foreground) + len(named.background) == rows


def test_the_page_quotes_these_hours() -> None:
    page = (ROOT / 'docs' / 'voc_and_coco.md').read_text()
    rows = dict(
        re.findall(r'^\| ([\w ,+]+) \| ([\d.,]+ \| .*) \|$', page, re.M)
    )
    voc, coco = (TOOL['stage_work'](COUNTS, d) for d in TOOL['DATA_SETS'])
    assert set(voc) <= set(rows)
    for stage, work in voc.items():
        cells = re.split(r' *\| *', rows[stage])
        expected = [
            found.hours(gpus, 9.75)
            for found in (work, coco[stage])
            for gpus in (1, 8)
        ]
        assert [float(cell) for cell in cells[:4]] == pytest.approx(
            expected, abs=0.1
        )
