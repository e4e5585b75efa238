# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Watch CAMs and seeds change while the prompts learn."""

from typing import Any

import numpy as np
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import DATASETS, HOOKS

from ...models.segmentors import CLIPPromptSegmentor
from ...utils import UserInputError
from ...utils.image_names import image_name_of
from ...utils.model_wrappers import unwrap_model
from ...visualization.seed_pictures import (
    predict_seeds,
    seed_panels,
    shown_routes,
)
from ...visualization.sheet import picture_sheet

__all__ = ['SeedVisualizationHook']

_CELL = 160  # side of a picture in the strip, pixels


@HOOKS.register_module()
class SeedVisualizationHook(Hook):
    """Draw a few fixed images as the prompts in training see them.

    For each image one strip goes to the runner's visualizer, and so to all of
    its backends (files of ``LocalVisBackend``, TensorBoard, ...): the image,
    the CAM of each present class, the coarse and the fine seed. The images
    are read as in the test run, so that no augmentation moves them, and the
    training itself is the same with and without the hook. Models other than
    :class:`CLIPPromptSegmentor` are left alone.

    Args:
        interval (int): Iterations between drawings; the last iteration is
            always drawn. Default: 500.
        images (int): Number of images, spread evenly over the data set; 0
            turns the hook off. Default: 4.
        dataset (dict, optional): Config of the data set. Default: that of
            ``test_dataloader``.

    Raises:
        ValueError: If the interval is not positive.
    """

    priority = 'LOW'

    def __init__(
        self,
        interval: int = 500,
        images: int = 4,
        dataset: dict[str, Any] | None = None,
    ) -> None:
        if interval < 1:
            raise ValueError(
                f'interval must be 1 or more iterations, got {interval}'
            )
        self.interval = interval
        self.images = images
        self._dataset_config = dataset
        self._dataset: Any = None

    @master_only
    def before_train(self, runner: Runner) -> None:
        """Open the data set; without one there are no pictures."""
        # Draw nothing for other models
        if self.images < 1 or not isinstance(
            unwrap_model(runner.model), CLIPPromptSegmentor
        ):
            return
        # Open the data set of the test run, or one's own
        loader = runner.cfg.get('test_dataloader') or {}
        config = self._dataset_config or loader.get('dataset')
        if config is None:
            runner.logger.warning(
                'SeedVisualizationHook draws nothing: there is no '
                '`test_dataloader.dataset` to take the images from.'
            )
            return
        try:
            self._dataset = DATASETS.build(config)
        except UserInputError as error:  # no reason to stop a training
            runner.logger.warning(
                f'SeedVisualizationHook draws nothing: {error}'
            )

    @master_only
    def after_train_iter(
        self, runner: Runner, *args: Any, **kwargs: Any
    ) -> None:
        """Draw, if it is time."""
        if self._dataset is not None and (
            self.every_n_train_iters(runner, self.interval)
            or self.is_last_train_iter(runner)
        ):
            self._draw(runner)

    def _draw(self, runner: Runner) -> None:
        model: Any = unwrap_model(runner.model)
        # Ask which seeds the model makes
        dataset = self._dataset
        routes = shown_routes(model)
        if not routes:
            return  # the model scores classes, and makes no seed
        meta = dataset.metainfo
        # Spread the images evenly over the data set
        last = len(dataset) - 1
        spread = np.linspace(0, last, min(self.images, last + 1))
        for index in spread.round().astype(int).tolist():
            # Seed the image as in a test
            sample = predict_seeds(model, dataset[index])
            name = image_name_of(sample.metainfo).replace('/', '__')
            if 'failure' in sample.metainfo:
                runner.logger.warning(
                    f'SeedVisualizationHook left {name} out: {sample.failure}'
                )
                continue
            # Draw image, CAMs and seeds side by side
            panels = seed_panels(
                sample, routes, meta['classes'], meta['palette']
            )
            titles, pictures = zip(*panels, strict=True)
            strip = picture_sheet([pictures], titles, [name], _CELL)
            runner.visualizer.add_image(
                f'seeds_{name}', strip, runner.iter + 1
            )
