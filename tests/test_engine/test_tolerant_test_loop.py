# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A plain network tests a folder in which a photo is bad."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.runner import Runner
from mmseg.datasets import BaseSegDataset
from mmseg.models.segmentors import SegTTAModel
from PIL import Image

from mmfmwsss.engine import set_test_loop
from mmfmwsss.models.segmentors import RefinedSegmentor

TEST_TOOL = Path(__file__).parents[2] / 'tools' / 'test.py'
SIZES = {'a': (40, 48), 'b': None, 'c': (48, 40), 'd': (40, 48)}
NETWORK = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[120.0] * 3,
        std=[60.0] * 3,
        test_cfg=dict(size_divisor=32),
    ),
    backbone=dict(type='ResNetV1c', depth=18, base_channels=8,
        stem_channels=8, norm_cfg=dict(type='BN')),
    decode_head=dict(type='FCNHead', in_channels=64, channels=8,
        num_classes=3, num_convs=1, norm_cfg=dict(type='BN')),
    test_cfg=dict(mode='whole'),
)  # fmt: skip
TTA = [
    dict(type='LoadImageStrict'),
    dict(
        type='TestTimeAug',
        transforms=[
            [dict(type='RandomFlip', prob=prob) for prob in (0.0, 1.0)],
            [dict(type='PackWSSSInputs')],
        ],
    ),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Photos of two sizes, one of them cut off, and their masks."""
    rng = np.random.default_rng(0)
    for folder in ('JPEGImages', 'masks'):
        (tmp_path / folder).mkdir()
    for name, size in SIZES.items():
        shape = size or (40, 48)
        pixels = rng.integers(0, 256, (*shape, 3), np.uint8)
        path = tmp_path / 'JPEGImages' / f'{name}.jpg'
        Image.fromarray(pixels).save(path)
        if size is None:
            path.write_bytes(path.read_bytes()[:300])
        truth = rng.integers(0, 3, shape, np.uint8)
        Image.fromarray(truth).save(tmp_path / 'masks' / f'{name}.png')
    return tmp_path


def config(root: Path, batch_size: int) -> Config:
    dataset = dict(
        type='GroundTruthDataset',
        data_root=str(root),
        class_prompts=dict(classes=['cat', 'dog'], background=['wall']),
        ground_truth_dir=None,
        test_mode=True,
        pipeline=[
            dict(type='LoadImageStrict'),
            dict(type='PackWSSSInputs'),
        ],
    )
    return Config(
        dict(
            default_scope='mmseg',
            model=NETWORK,
            tta_pipeline=TTA,
            randomness=dict(seed=0),
            work_dir=str(root / f'work{batch_size}'),
            test_dataloader=dict(
                batch_size=batch_size,
                num_workers=0,
                dataset=dataset,
                sampler=dict(type='DefaultSampler', shuffle=False),
            ),
            test_cfg=dict(),
            test_evaluator=dict(
                type='SeedMetric',
                ground_truth_dir=str(root / 'masks'),
                output_dir=str(root / f'out{batch_size}'),
            ),
            default_hooks=dict(
                visualization=dict(type='SegVisualizationHook', draw=True)
            ),
            visualizer=dict(
                type='SegLocalVisualizer',
                vis_backends=[dict(type='LocalVisBackend')],
                name=f'{root}{batch_size}',
            ),
        )
    )


def run(config: Config) -> tuple[dict[str, Any], Runner]:
    set_test_loop(config)
    runner = Runner.from_cfg(config)
    network = getattr(runner.model, 'module', runner.model)
    torch.nn.init.normal_(network.decode_head.conv_seg.weight)
    return runner.test(), runner


@pytest.mark.parametrize('augmented', [False, True])
def test_the_rest_is_as_without_the_bad_one(
    root: Path, augmented: bool
) -> None:
    found = []
    for batch_size in (4, 1):
        settings = config(root, batch_size)
        if augmented:
            runpy.run_path(str(TEST_TOOL))['set_augmentation'](settings)
        metrics, runner = run(settings)
        assert isinstance(runner.model, SegTTAModel) == augmented
        found.append(metrics)
        assert metrics['pred_sem_seg/failed'] == 1
        assert metrics['pred_sem_seg/images'] == 3
    assert found[0] == found[1]
    for name, size in SIZES.items():
        maps = [root / f'out{n}' / f'{name}.png' for n in (4, 1)]
        assert [path.is_file() for path in maps] == [size is not None] * 2
        if size is not None:
            with Image.open(maps[0]) as labels:
                assert labels.size == size[::-1]
            assert maps[0].read_bytes() == maps[1].read_bytes()


def test_scores_that_are_not_finite_are_failures(root: Path) -> None:
    settings = config(root, 2)
    set_test_loop(settings)
    runner = Runner.from_cfg(settings)
    runner.model.decode_head.conv_seg.bias.data.fill_(float('inf'))
    assert runner.test()['pred_sem_seg/failed'] == 4


def constant(value: object) -> property:
    return property(lambda _: value)


def test_the_first_class_says_whether_there_is_a_background(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for first, expected in (('background', True), ('road', False)):
        # as a data set of others, for ours have a background
        meta = dict(classes=(first, 'cat', 'dog'))
        monkeypatch.setattr(BaseSegDataset, 'metainfo', constant(meta))
        settings = config(root, 1)
        settings.model = ConfigDict(
            type='RefinedSegmentor',
            segmentor=NETWORK,
            refiner=dict(type='ArgmaxSeeder'),
        )
        settings.visualizer.name = f'{root}{first}'
        set_test_loop(settings)
        runner = Runner.from_cfg(settings)
        assert isinstance(runner.model, RefinedSegmentor)
        assert runner.model.has_background is None
        assert runner.test_loop is not None
        assert runner.model.has_background is expected


def test_other_loops_are_left_alone() -> None:
    settings = Config(dict(test_cfg=dict(type='Mine')))
    set_test_loop(settings)
    assert settings.test_cfg.type == 'Mine'
    settings = Config(dict(test_cfg=None))
    set_test_loop(settings)
    assert settings.test_cfg is None
    settings = Config(dict(test_cfg=dict(type='TestLoop', fp16=True)))
    set_test_loop(settings)
    assert settings.test_cfg.type == 'mmseg.SkippingTestLoop'
    assert settings.test_cfg.fp16


def test_the_tool_refines_what_the_stock_model_would_not(root: Path) -> None:
    tool = runpy.run_path(str(TEST_TOOL))['set_augmentation']
    for tta_model in (None, dict(type='mmseg.SegTTAModel'), SegTTAModel):
        settings = config(root, 1)
        settings.model = dict(type='RefinedSegmentor')
        if tta_model is SegTTAModel:
            tta_model = ConfigDict(type=SegTTAModel)
        if tta_model is not None:
            settings.tta_model = tta_model
        tool(settings)
        assert settings.model.type == 'mmseg.RefinedSegTTAModel'


@pytest.mark.parametrize('checkpoint', [None, 'weights.pth'])
def test_random_weights_are_said(
    root: Path, checkpoint: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(root, 1)
    settings.load_from = checkpoint
    settings.visualizer.name = f'{root}{checkpoint}'
    set_test_loop(settings)
    runner = Runner.from_cfg(settings)
    said: list[str] = []
    monkeypatch.setattr(runner.logger, 'warning', said.append)
    assert runner.test_loop is not None
    found = any('random weights' in message for message in said)
    assert found == (checkpoint is None)
