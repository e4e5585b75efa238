# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Randomness of the model that does not depend on what ran before."""

from typing import Any

import numpy as np
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from ...datasets.transforms import set_all_seeds

__all__ = ['ReproducibleIterationHook']


@HOOKS.register_module()
class ReproducibleIterationHook(Hook):
    """Seed the generators with (seed, iteration, process) before each step.

    Dropout, sampled points and the like are then the same whether a run went
    through or was resumed. The pictures are the matter of
    ``ReproducibleSampler`` and ``ReproducibleAugmentation``. Together they
    make a resumed run repeat the uninterrupted one bit by bit, as far as the
    device's kernels are deterministic: those of the CPU are; on a GPU set
    ``env_cfg.cudnn_benchmark=False`` and ``randomness.deterministic=True``.
    """

    priority = 'VERY_HIGH'

    def before_train_iter(
        self, runner: Runner, *args: Any, **kwargs: Any
    ) -> None:
        """Seed for this iteration, whose pictures are already there."""
        state = np.random.SeedSequence((runner.seed, runner.iter, get_rank()))
        set_all_seeds(int(state.generate_state(1)[0]))
