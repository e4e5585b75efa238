# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A test in which one image cannot void the others."""

from typing import Any

import torch
from mmengine.config import Config
from mmengine.runner import TestLoop
from mmengine.runner.amp import autocast
from mmseg.models.segmentors import BaseSegmentor
from mmseg.registry import LOOPS
from mmseg.structures import SegDataSample

from ..models.segmentors import RefinedSegmentor
from ..models.segmentors.mixed_batches import (
    NOT_FINITE,
    fail,
    failed,
    finished,
    predict_in_groups,
)
from ..utils.model_wrappers import unwrap_model

__all__ = ['TolerantTestLoop', 'set_test_loop']


@LOOPS.register_module()
class TolerantTestLoop(TestLoop):
    """Test any model as mmengine does, and list failures at the end.

    Images of a batch that failed to load are not predicted, nor those that
    are finished (see :class:`SkippingTestLoop`); those of other
    sizes are predicted by themselves, and predictions of scores that are not
    finite count as failed. Metrics see all images, hooks those with a
    prediction. The loop also tells a :class:`RefinedSegmentor` whether the
    data set's first class is the background, unless its config does.

    Arguments are those of ``TestLoop``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Warn of a network that nobody trained
        if self.runner._load_from is None and _learns(self.runner.model):
            self.runner.logger.warning(
                'NO CHECKPOINT was given: the model predicts with random '
                'weights, and its results mean nothing. Give the checkpoint '
                'behind the config, or set `load_from`.'
            )
        # Tell the refinement whether class 0 is the background
        meta = getattr(self.dataloader.dataset, 'metainfo', None) or {}
        classes = meta.get('classes') or ()
        model = _refined(self.runner.model)
        if model is None or model.has_background is not None or not classes:
            return
        model.has_background = 'background' in str(classes[0]).lower()
        if not model.has_background and not model.one_output:
            self.runner.logger.info(
                f'The first class is {classes[0]!r}, so there is no '
                'background: pixels that the refinement gives to no class '
                'keep the prediction of the network. If it is one, set '
                '`has_background=True` in the RefinedSegmentor.'
            )

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: Any) -> None:
        """Predict and score one batch."""
        hook = self.runner.call_hook
        hook('before_test_iter', batch_idx=idx, data_batch=data_batch)
        # Predict the images, one size at a time
        with autocast(enabled=self.fp16):
            outputs = predict_in_groups(
                self.runner.model.test_step, data_batch
            )
        # Count predictions that are not finite as failed
        for sample in outputs:
            if not _is_finite(sample):
                fail(sample, NOT_FINITE)
        # Score all images, and show the hooks those with a prediction
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        hook(
            'after_test_iter',
            batch_idx=idx,
            data_batch=data_batch,
            outputs=[s for s in outputs if not (failed(s) or finished(s))],
        )


def set_test_loop(config: Config) -> None:
    """Take the loop that skips what is done where a config takes mmengine's.

    It is a tolerant one, too.

    Args:
        config (Config): Changed in place.
    """
    loop = config.get('test_cfg')
    if loop is not None and loop.get('type', 'TestLoop') == 'TestLoop':
        loop['type'] = 'mmseg.SkippingTestLoop'


def _learns(model: Any) -> bool:
    """Tell if predictions depend on weights that a training makes."""
    return any(
        isinstance(part, BaseSegmentor)
        and any(p.requires_grad for p in part.parameters())
        for part in model.modules()
    )


def _refined(model: Any) -> RefinedSegmentor | None:
    """Find the RefinedSegmentor in a model, under all its wrappers."""
    inner = unwrap_model(model)
    return inner if isinstance(inner, RefinedSegmentor) else None


def _is_finite(sample: SegDataSample) -> bool:
    if failed(sample) or 'seg_logits' not in sample:
        return True
    return bool(torch.isfinite(sample.seg_logits.data).all())
