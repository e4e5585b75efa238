# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Count what a network keeps for backward, on tensors without memory."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from mmengine.registry import DefaultScope
from mmseg.registry import MODELS
from torch import Tensor

__all__ = ['count_kept_bytes']


def count_kept_bytes(
    model: Mapping[str, Any], size: tuple[int, int]
) -> tuple[int, int] | None:
    """Count the weights of a network, and what it keeps of an image.

    Backbone and head run on torch's ``meta`` device, which knows shapes only.

    Args:
        model (Mapping[str, Any]): Settings of an mmseg ``EncoderDecoder``.
        size (tuple[int, int]): Height and width of the image, pixels.

    Returns:
        tuple[int, int] | None: Bytes of the weights, and bytes that an image
        adds. None for a network that cannot be built or run there.
    """
    kept: dict[int, Tensor] = {}  # by memory: layers keep the same tensors

    def note(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor
        return tensor

    # Run two images through backbone and head
    try:
        with (
            DefaultScope.overwrite_default_scope('mmseg'),
            torch.device('meta'),
        ):
            network: Any = MODELS.build(dict(model, init_cfg=None))
            images = torch.empty(2, 3, *size)
            with torch.autograd.graph.saved_tensors_hooks(note, lambda t: t):
                network.decode_head(network.backbone(images))
    except Exception:  # a network may ask for values, which meta has not
        return None
    weights = _bytes_of(network.parameters())
    # Leave the parameters out, which the weights have
    for parameter in network.parameters():
        kept.pop(parameter.untyped_storage()._cdata, None)
    return weights, _bytes_of(kept.values()) // 2


def _bytes_of(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
