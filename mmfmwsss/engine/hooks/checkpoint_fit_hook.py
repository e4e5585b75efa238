# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""No run with the checkpoint of another model."""

from collections.abc import Mapping
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner, find_latest_checkpoint
from mmseg.registry import HOOKS

from ...models.segmentors import CLIPPromptSegmentor
from ...models.segmentors.checkpoint_fit import (
    check_classes,
    check_start,
    check_weights,
    weights_of,
)
from ...utils import UserInputError
from ...utils.model_wrappers import unwrap_model

__all__ = ['CheckpointFitHook']

_OF_A_RUN = ('meta', 'message_hub', 'optimizer')


@HOOKS.register_module()
class CheckpointFitHook(Hook):
    """Refuse a checkpoint that does not fit, before mmengine takes what does.

    mmengine loads what fits by name and shape and goes on. A test, and a
    training that is resumed, need all weights and, of networks, the classes
    of the data set in their order (prompts note theirs among the weights). A
    training that starts from ``load_from`` may have a new head; see
    :func:`check_start`.

    Args:
        training (bool): Whether the run is a training.
    """

    priority = 'HIGHEST'

    def __init__(self, training: bool = False) -> None:
        self.training = training

    def after_load_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Check the checkpoint before its weights are used.

        Raises:
            UserInputError: If it does not fit.
        """
        # Read the weights
        resumed = self.training and bool(runner._resume)
        where = runner._load_from or find_latest_checkpoint(runner.work_dir)
        weights = weights_of(checkpoint, str(where))
        # Let a new training start from some of them
        if self.training and not resumed:
            check_start(runner.model, weights, str(where))
            return
        # Ask for all of them in a test or a resumption
        if resumed:
            _check_run(checkpoint, str(where))
        check_weights(runner.model, weights, str(where))
        # Compare the classes of a network; prompts note theirs
        if not isinstance(unwrap_model(runner.model), CLIPPromptSegmentor):
            loop = runner.train_loop if resumed else runner.test_loop
            meta = getattr(loop.dataloader.dataset, 'metainfo', None) or {}
            check_classes(checkpoint, meta.get('classes'), str(where))


def _check_run(checkpoint: Mapping[str, Any], where: str) -> None:
    """See that a file has the state of a training beside the weights."""
    absent = [key for key in _OF_A_RUN if key not in checkpoint]
    meta = checkpoint.get('meta')
    noted = isinstance(meta, Mapping) and {'epoch', 'iter'} <= meta.keys()
    if absent or not noted:
        raise UserInputError(
            f'Expected the checkpoint of a run to resume from in {where}, but '
            f'it has no {absent[0] if absent else "epoch"}: it holds weights '
            f'only. Start from them with --cfg-options load_from={where}'
        )
