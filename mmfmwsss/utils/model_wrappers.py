# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Reach the model inside the wrappers of mmengine."""

from typing import cast

from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import nn

__all__ = ['unwrap_model']


def unwrap_model(model: nn.Module) -> nn.Module:
    """Take a model out of what several GPUs and augmentation put around it.

    Args:
        model (nn.Module): A model, or any nesting of
            ``MMDistributedDataParallel`` and its like and ``BaseTTAModel``.

    Returns:
        nn.Module: The innermost model; the same if there is no wrapper.
    """
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = cast(nn.Module, model.module)
    return model
