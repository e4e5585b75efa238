# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Small models with random weights, of the real classes, for tests."""

from typing import Any

import torch

from ..models.clip import FrozenCLIP

__all__ = ['random_clip', 'random_clip_arch']


def random_clip_arch(layers: int = 3) -> dict[str, Any]:
    """Arguments of an ``open_clip.CLIP`` of a few thousand parameters.

    The token table is the standard one, so that real names can be used.
    """
    return dict(
        embed_dim=16,
        vision_cfg=dict(
            layers=layers,
            width=32,
            head_width=16,
            patch_size=8,
            image_size=32,
        ),
        text_cfg=dict(width=16, heads=2, layers=2),
    )


def random_clip(seed: int = 0, layers: int = 3) -> FrozenCLIP:
    """A frozen CLIP of :func:`random_clip_arch` with random weights.

    Biases and positions are random too, so that no term of a formula hides
    behind a zero.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        clip = FrozenCLIP(random_clip_arch(layers), attention_layers=2)
        for name, parameter in clip.named_parameters():
            if parameter.ndim >= 1 and 'token_embedding' not in name:
                parameter.data += 0.05 * torch.randn_like(parameter)
    return clip
