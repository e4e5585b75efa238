# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""One stream of Figure 2: a set of prompts and the loss that trains it."""

from collections.abc import Callable
from typing import Any, cast

import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor

from ...structures.class_prompts import ClassPrompts
from .frozen_clip import FrozenCLIP
from .prompt_learner import LearnablePrompts

__all__ = ['PromptStream']


@MODELS.register_module(name='CLIPPromptHead')
class PromptStream(BaseModule):
    """Hold the prompts of a stream and the loss that supervises them.

    Configs name it ``CLIPPromptHead``, as the head of a network in mmseg; the
    code and the paper's Figure 2 call it a stream.

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
        # Build the prompts, and the loss that trains them
        self.prompts = MODELS.build(
            dict(prompts, clip=clip, class_prompts=class_prompts)
        )
        self.loss_module = None if loss is None else MODELS.build(loss)
        if self.loss_module is None:  # what no loss trains stays as it is
            self.requires_grad_(False)
        self._kept: Tensor | None = None
        self._register_load_state_dict_pre_hook(self._forget)

    def text_features(
        self, clip: FrozenCLIP, rows: Tensor | None = None
    ) -> Tensor:
        """Encode the foreground, then the background prompts, (G, E).

        Args:
            clip (FrozenCLIP): The frozen model.
            rows (Tensor, optional): Prompts that are needed, int64, (K,);
                learnable prompts leave the others 0. None: all.
        """
        if isinstance(self.prompts, LearnablePrompts):
            return self.prompts(clip, rows)
        return self.prompts(clip)

    @torch.no_grad()
    def frozen_text_features(self, clip: FrozenCLIP) -> Tensor:
        """Encode all prompts, once as long as they are not trained, (G, E)."""
        if self.training or self._kept is None:
            self._kept = self.text_features(clip)
        return self._kept

    def train(self, mode: bool = True) -> 'PromptStream':
        """Switch mode; prompts may have changed, so forget their features."""
        self._forget()
        return super().train(mode)

    def _apply(
        self, fn: Callable[[Tensor], Tensor], recurse: bool = True
    ) -> 'PromptStream':
        """Move to another device or type, where the features are not yet."""
        self._forget()
        return cast('PromptStream', super()._apply(fn, recurse))

    def _forget(self, *_: Any) -> None:
        """Forget the features that were kept: the prompts may change."""
        self._kept = None

    def classification_loss(
        self, logits: Tensor, labels: Tensor
    ) -> dict[str, Tensor]:
        """Compute the stream's loss of class logits, e.g. L_MCL (Eq. 12).

        Args:
            logits (Tensor): Foreground logits, (N, C).
            labels (Tensor): Multi-hot image-level labels, bool, (N, C).

        Returns:
            dict[str, Tensor]: A scalar under the loss's name; empty if the
            stream has no loss.
        """
        if self.loss_module is None:
            return {}
        return {self.loss_module.loss_name: self.loss_module(logits, labels)}

    def cam_loss(
        self, cams: Tensor, pairs: Tensor, seeds: Tensor
    ) -> dict[str, Tensor]:
        """Compute the stream's loss of maps on seeds, e.g. L_CAL (Eq. 15).

        Args:
            cams (Tensor): Signed class activation maps, (P, h, w).
            pairs (Tensor): (image, class) of each map, int64, (P, 2).
            seeds (Tensor): Seed maps, 0 background, class + 1, (N, H, W).

        Returns:
            dict[str, Tensor]: As in :meth:`classification_loss`.
        """
        if self.loss_module is None:
            return {}
        loss = self.loss_module(cams, pairs, seeds)
        return {self.loss_module.loss_name: loss}
