# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A test run that goes on where it was stopped."""

from typing import Any

from mmcv.transforms import TestTimeAug
from mmengine.runner import Runner
from mmseg.registry import DATASETS, LOOPS

from ..datasets.current_outputs import CurrentOutputs
from ..datasets.wrapped_datasets import (
    inner_datasets,
    inner_settings,
    mixes_pictures,
)
from ..evaluation.metrics import SeedMetric
from ..utils import digest_of, digest_of_weights
from ..utils.model_wrappers import unwrap_model
from .tolerant_test_loop import TolerantTestLoop

__all__ = ['SkippingTestLoop']


@LOOPS.register_module()
class SkippingTestLoop(TolerantTestLoop):
    """Run a model on the pictures whose label maps are not current.

    For runs whose every metric is a ``SeedMetric`` with an ``output_dir``; it
    reads and scores the label maps of the other pictures. A label map is
    current if it is as it was written, by the same model with the same
    weights, from the same picture, labels and masks. ``tools/test.py`` takes
    this loop; elsewhere ``test_cfg = dict(type='SkippingTestLoop')`` does.

    Args:
        runner (Runner): Of the run.
        dataloader (dict | DataLoader): As in mmengine.
        evaluator (dict | list | Evaluator): As in mmengine.
        fp16 (bool): As in mmengine.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: Any,
        evaluator: Any,
        fp16: bool = False,
    ) -> None:
        # Let the data set tell which label maps are current
        if isinstance(dataloader, dict):
            dataset = dataloader['dataset']
            if isinstance(dataset, dict):
                dataset = DATASETS.build(dataset)
            dataloader = dict(dataloader, dataset=CurrentOutputs(dataset))
        super().__init__(runner, dataloader, evaluator, fp16)

    def run(self) -> dict[str, float]:
        """Test, after a look at what there is."""
        dataset = self.dataloader.dataset
        # Say what a current label map must have been made from
        if isinstance(dataset, CurrentOutputs) and self._can_skip(dataset):
            dataset.expect(
                self._digest_settings(dataset),
                [(m.output_dir, m.prediction) for m in self.evaluator.metrics],
                self._mask_dirs(dataset),
            )
        result: dict[str, float] = super().run()
        return result

    def _can_skip(self, dataset: CurrentOutputs) -> bool:
        """Tell if label maps on disk are all that the run is for."""
        # Look for label maps that the run writes
        writing = [
            isinstance(metric, SeedMetric) and metric.output_dir is not None
            for metric in self.evaluator.metrics
        ]
        if not any(writing):
            return False
        # Run every picture if more than label maps is asked for
        reason = None
        if not all(writing):
            reason = 'not all metrics are SeedMetrics with an `output_dir`'
        elif any(getattr(hook, 'draw', False) for hook in self.runner.hooks):
            reason = 'pictures are painted'
        elif any(isinstance(t, TestTimeAug) for t in _transforms(dataset)):
            reason = 'there is test-time augmentation'
        elif mixes_pictures(dataset.dataset):
            reason = 'the data set makes pictures of several'
        if reason:
            self.runner.logger.info(f'No picture is skipped: {reason}.')
        return reason is None

    def _mask_dirs(self, dataset: CurrentOutputs) -> list[str]:
        """List the mask folders that the pipeline or a route reads."""
        # Look into the pipeline and the routes
        routes = getattr(unwrap_model(self.runner.model), 'routes', {})
        loaders = [
            *_transforms(dataset),
            *(getattr(r, 'mask_loader', None) for r in routes.values()),
        ]
        folders = [getattr(loader, 'mask_dir', None) for loader in loaders]
        return [str(folder) for folder in folders if folder is not None]

    def _digest_settings(self, dataset: CurrentOutputs) -> str:
        """Hash all that decides the label maps and is no file of a picture."""
        # Hash CLIP as well, which is no sub-module
        model = unwrap_model(self.runner.model)
        modules = [model, getattr(model, 'clip', None)]
        config = self.runner.cfg
        settings = inner_settings(config.test_dataloader.dataset)
        return digest_of(
            [
                digest_of_weights(*(m for m in modules if m is not None)),
                repr(config.model),
                '\n'.join(repr(one.pipeline) for one in settings),
                repr(getattr(model, 'class_prompts', None)),
                repr(sorted(dataset.metainfo.items())),
                self.fp16,
            ]
        )


def _transforms(dataset: CurrentOutputs) -> list[Any]:
    return [
        step
        for inner in inner_datasets(dataset.dataset)
        for step in getattr(inner.pipeline, 'transforms', [])
    ]
