# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Mixed precision in bfloat16, which needs no loss scale."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmengine.runner import autocast
from mmseg.registry import OPTIM_WRAPPERS
from torch import nn

__all__ = ['Bfloat16OptimWrapper']


@OPTIM_WRAPPERS.register_module()
class Bfloat16OptimWrapper(OptimWrapper):
    """Autocast to bfloat16 on any device, the CPU included.

    mmengine's ``AmpOptimWrapper`` refuses to run without a GPU, and scales
    the loss, which the exponents of bfloat16 make needless. Arguments are
    those of mmengine's ``OptimWrapper``.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enter the base class's context, and autocast."""
        with super().optim_context(model), autocast(dtype=torch.bfloat16):
            yield
