# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""mAP of image-level labels: by hand, against sklearn, and in a training."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.runner import Runner
from mmseg.registry import METRICS
from mmseg.structures import SegDataSample

from mmfmwsss.evaluation.metrics import ImageLabelMetric, average_precision
from mmfmwsss.utils import UserInputError


class KeepMAP(Hook):
    """Keeps the mAP of each validation."""

    def __init__(self, seen: list[float]) -> None:
        self.seen = seen

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        assert metrics is not None
        self.seen.append(metrics['classification/mAP'])


def sample(scores: list[float], labels: list[int]) -> SegDataSample:
    found = SegDataSample()
    found.class_scores = torch.tensor(scores)
    found.image_labels = torch.tensor(labels, dtype=torch.bool)
    return found


def test_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(
        MMLogger.get_current_instance(),
        'info', lambda text, *a: lines.append(text),
    )  # fmt: skip
    metric = METRICS.build(dict(type='ImageLabelMetric', split='here'))
    assert isinstance(metric, ImageLabelMetric)
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = dict(classes=('background', 'cat', 'dog', 'cow'))
    failed = SegDataSample(metainfo=dict(failure='broken'))
    evaluator.process(
        [
            sample([0.9, 0.1, 0.5], [1, 0, 0]),
            sample([0.8, 0.7, 0.4], [0, 1, 0]),
            sample([0.2, 0.6, 0.3], [1, 0, 0]),
            failed,
        ]
    )
    # cat: precision 1 at rank 1 and 2/3 at rank 3; dog: 1; no cow anywhere
    found = evaluator.evaluate(4)
    assert found == {
        'classification/mAP': round(100 * (5 / 6 + 1) / 2, 2),
        'classification/images': 3,
        'classification/failed': 1,
    }
    text = '\n'.join(lines)
    assert 'mAP of classification of here, 3 images, 2 of 3 classes' in text
    assert metric.record['classes'] == {
        'cat': {'AP': 83.33}, 'dog': {'AP': 100.0}, 'cow': {'AP': None},
    }  # fmt: skip


def test_equals_sklearn() -> None:
    metrics = pytest.importorskip('sklearn.metrics')
    rng = np.random.default_rng(0)
    scores = rng.random((200, 5)).astype(np.float32)
    labels = rng.random((200, 5)) < scores
    expected = [
        100 * metrics.average_precision_score(labels[:, c], scores[:, c])
        for c in range(5)
    ]
    np.testing.assert_allclose(
        average_precision(scores, labels), expected, rtol=1e-5
    )


def test_missing_fields_and_missing_mmpretrain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    metric = ImageLabelMetric()
    with pytest.raises(ValueError, match='`class_scores`.*image_labels'):
        metric.process(None, [dict(image_labels=torch.ones(1))])
    assert metric.compute_metrics([{}]) == dict(images=0, failed=1)
    monkeypatch.setitem(sys.modules, 'mmpretrain.evaluation', None)
    with pytest.raises(UserInputError, match='pip install'):
        average_precision(np.ones((2, 1)), np.ones((2, 1), bool))


def test_it_watches_a_training(
    partworld_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From labels alone: there are no masks to be found."""
    monkeypatch.setenv('PARTWORLD_ROOT', str(partworld_root))
    configs = Path(__file__).parents[3] / 'configs' / 'fmwsss'
    config = Config.fromfile(configs / 'partworld_classification.py')
    config.load_from = None
    config.work_dir = str(tmp_path)
    config.experiment_name = tmp_path.name
    val = config.test_dataloader
    val.update(num_workers=0, persistent_workers=False)
    loader = config.train_dataloader
    loader.update(batch_size=3, num_workers=0, persistent_workers=False)
    loader.dataset.pipeline = [
        t for t in loader.dataset.pipeline if t.type != 'LoadSAMMasks'
    ]
    config.model.streams.pop('segmentation')
    config.model.training_route = None
    config.model.class_prompts = 'partworld'
    config.val_dataloader, config.val_cfg = val, dict()
    config.val_evaluator = dict(type='ImageLabelMetric', split='six')
    config.train_cfg.update(max_iters=2, val_interval=1)
    config.default_hooks.seed_visualization.images = 0
    runner = Runner.from_cfg(config)
    seen: list[float] = []
    runner.register_hook(KeepMAP(seen))
    runner.train()
    assert len(seen) == 2
    assert all(0 < value <= 100 for value in seen)
    metrics: dict[str, Any] = runner.test()
    assert metrics['classification/images'] == 6
    assert metrics['classification/mAP'] == seen[-1]
