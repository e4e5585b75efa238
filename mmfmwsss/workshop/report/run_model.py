# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The model of a run, loaded again for the few images that are shown."""

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from ...models.segmentors import CLIPPromptSegmentor
from ...models.segmentors.checkpoint_fit import check_weights, weights_of
from ...utils import UserInputError, read_checkpoint
from ...visualization.seed_pictures import predict_seeds
from .run_folder import RunFolder

__all__ = ['RunModel']


class RunModel:
    """Predicts images as a run did, from its config and its checkpoint.

    Args:
        run (RunFolder): The run.

    Raises:
        UserInputError: If the model cannot be built or its checkpoint is not
            there.
    """

    def __init__(self, run: RunFolder) -> None:
        # Take the model's settings, preprocessor included
        init_default_scope('mmseg')
        settings = dict(run.config.model)
        if run.config.get('data_preprocessor') is not None:
            settings.setdefault(
                'data_preprocessor', run.config.data_preprocessor
            )
        checkpoint = run.checkpoint()
        if checkpoint is not None and not checkpoint.is_file():
            raise UserInputError(
                f'Expected the checkpoint of {run.path} at {checkpoint}, but '
                'it is not there.'
            )
        # Build the model, and load weights that fit it
        try:
            self.model: Any = MODELS.build(settings)
            if checkpoint is not None:
                content = read_checkpoint(checkpoint)
                weights = weights_of(content, str(checkpoint))
                check_weights(self.model, weights, str(checkpoint))
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            # e.g. a config of an older version
            raise UserInputError(
                f'Could not load the model of {run.path}: {error}'
            ) from error
        # Predict on the best device there is
        self.model.to(get_device()).eval()

    @property
    def has_cams(self) -> bool:
        """Tell whether the predictions come with CAMs."""
        return isinstance(self.model, CLIPPromptSegmentor)

    @torch.no_grad()
    def predict(self, packed: Mapping[str, Any]) -> SegDataSample:
        """Predict one image of the run's data set.

        Args:
            packed (Mapping): What the data set gives.

        Returns:
            SegDataSample: With the label maps and, if the model has them, the
            CAMs; see :func:`predict_seeds`.
        """
        if self.has_cams:
            return predict_seeds(self.model, packed)
        return self.model.test_step(
            {key: [packed[key]] for key in ('inputs', 'data_samples')}
        )[0]
