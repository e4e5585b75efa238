# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""One stream of Figure 2: a set of prompts and the loss that trains it."""

from typing import Any

from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor

from ...datasets.class_prompts import ClassPrompts
from ..clip import FrozenCLIP

__all__ = ['CLIPPromptHead']


@MODELS.register_module()
class CLIPPromptHead(BaseModule):
    """Prompts of a stream, and the loss that supervises them.

    Args:
        clip (FrozenCLIP): The frozen model. Not kept.
        class_prompts (ClassPrompts): Names of foreground and background.
        prompts (dict): Config of ``LearnablePrompts`` or ``ManualPrompts``.
        loss (dict, optional): Config of the loss. None: not trained.
    """

    def __init__(
        self,
        clip: FrozenCLIP,
        class_prompts: ClassPrompts,
        prompts: dict[str, Any],
        loss: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.prompts = MODELS.build(
            dict(prompts, clip=clip, class_prompts=class_prompts)
        )
        self.loss_module = None if loss is None else MODELS.build(loss)

    def text_features(
        self, clip: FrozenCLIP, rows: Tensor | None = None
    ) -> Tensor:
        """Features of the foreground, then the background prompts, (G, E).

        Args:
            clip (FrozenCLIP): The frozen model.
            rows (Tensor, optional): Prompts that are needed, int64, (K,); the
                others may be 0. None: all.
        """
        return self.prompts(clip, rows)

    def loss(self, *inputs: Tensor) -> dict[str, Tensor]:
        """Loss of this stream under its name."""
        if self.loss_module is None:
            return {}
        return {self.loss_module.loss_name: self.loss_module(*inputs)}
