# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Stage 2: what mmseg calls `seg_logits`, as probabilities."""

from typing import Literal

import torch
from torch import Tensor, nn

__all__ = ['is_query_based', 'seg_probabilities']

# heads whose `seg_logits` are sums over queries of class probability times
# mask probability: not logits, and not normalised
_QUERY_HEADS = ('MaskFormerHead', 'Mask2FormerHead')


def seg_probabilities(
    seg_logits: Tensor, how: Literal['softmax', 'sum']
) -> Tensor:
    """Probabilities of one image, with a background channel.

    Args:
        seg_logits (Tensor): What mmseg calls so, (C, H, W). One channel is
            a foreground probability (mmseg applies the sigmoid itself).
        how (str): ``'softmax'`` of logits, or ``'sum'``: non-negative scores
            divided by their sum over the classes.

    Returns:
        Tensor: Sums to 1 over the channels, (max(C, 2), H, W).
    """
    scores = seg_logits.float()
    if scores.shape[0] == 1:
        return torch.cat([1 - scores, scores])
    if how == 'softmax':
        return scores.softmax(0)
    scores = scores.clamp(min=0)
    return scores / scores.sum(0).clamp(min=1e-12)


def is_query_based(segmentor: nn.Module) -> bool:
    """Whether the (last) decode head is a MaskFormer head."""
    head = getattr(segmentor, 'decode_head', None)
    if isinstance(head, nn.ModuleList):
        head = head[-1]
    return any(cls.__name__ in _QUERY_HEADS for cls in type(head).__mro__)
