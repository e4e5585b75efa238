# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The config of ``docs/your_mmseg_model.md`` over a config of mmseg alone."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image

from mmfmwsss.structures import WHOLE, SAMMasks
from mmfmwsss.utils.palette_png import write_palette_png

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs' / 'your_mmseg_model.md').read_text()
# As a person has it who has never heard of this package
NETWORK = """
default_scope = 'mmseg'
work_dir = 'run'
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[120.0] * 3,
        std=[60.0] * 3,
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        test_cfg=dict(size_divisor=8),
    ),
    backbone=dict(
        type='ResNetV1c',
        depth=18,
        base_channels=8,
        norm_cfg=norm_cfg,
    ),
    decode_head=dict(
        type='FCNHead',
        in_channels=64,
        channels=8,
        num_classes=3,
        norm_cfg=norm_cfg,
        loss_decode=dict(type='CrossEntropyLoss'),
    ),
    test_cfg=dict(mode='whole'),
)
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(64, 64), keep_ratio=True),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
test_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='BaseSegDataset',
        metainfo=dict(
            classes=['background', 'cat', 'mug'],
            palette=[[0, 0, 0], [128, 0, 0], [0, 128, 0]],
        ),
        data_root='.',
        data_prefix=dict(img_path='images', seg_map_path='labels'),
        pipeline=test_pipeline,
    ),
)
test_evaluator = dict(type='IoUMetric', output_dir='out')
test_cfg = dict(type='TestLoop')
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two photos whose left half is one mask, labels, and both configs."""
    random = np.random.default_rng(0)
    for name in ('images', 'labels', 'masks'):
        (tmp_path / name).mkdir()
    left = torch.zeros(1, 24, 32, dtype=torch.bool)
    left[..., :16] = True
    for name in ('a', 'b'):
        photo = random.integers(0, 255, (24, 32, 3), np.uint8)
        Image.fromarray(photo).save(tmp_path / 'images' / f'{name}.jpg')
        label = np.zeros((24, 32), np.uint8)
        label[:, :16] = 1
        write_palette_png(tmp_path / 'labels' / f'{name}.png', label)
        masks = SAMMasks(
            left, torch.tensor([WHOLE]), torch.ones(1), torch.ones(1)
        )
        masks.save(tmp_path / 'masks' / f'{name}.json')
    (tmp_path / 'my_network.py').write_text(NETWORK)
    name, config = re.findall(r'```python\n# (\w+\.py)\n(.*?)```', PAGE, re.S)[
        0
    ]
    (tmp_path / name).write_text(config)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_config_refines_a_network_of_mmseg(folder: Path) -> None:
    plain = Config.fromfile(str(folder / 'my_network.py'))
    runner = Runner.from_cfg(plain)
    with torch.no_grad():  # a network that says class 2 everywhere
        runner.model.decode_head.conv_seg.bias[:] = torch.tensor([0, 0, 9.0])
    torch.save(dict(state_dict=runner.model.state_dict()), 'mine.pth')

    config = Config.fromfile(str(folder / 'my_network_sams.py'))
    config.load_from = 'mine.pth'
    scores = Runner.from_cfg(config).test()
    assert 'mIoU' in scores
    for name in ('a', 'b'):
        found = np.asarray(Image.open(folder / 'out' / f'{name}.png'))
        # SAMS keeps the class in the mask; no mask is background
        assert (found[:, :16] == 2).all()
        assert (found[:, 16:] == 0).all()
