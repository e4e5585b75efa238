# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Stage 2: what mmseg calls `seg_logits`, as probabilities."""

from collections.abc import Iterable
from typing import Literal

import torch
from mmseg.models.decode_heads import VPDDepthHead
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.segmentors import BaseSegmentor, DepthEstimator
from torch import Tensor, nn

from ...utils import UserInputError

__all__ = [
    'Rule',
    'centre_threshold',
    'is_query_based',
    'probability_rule',
    'seg_probabilities',
]

Rule = Literal['softmax', 'sum']

# Heads whose `seg_logits` are sums over queries of class probability times
# mask probability: not logits, and not normalised.
_QUERY_HEADS = {'MaskFormerHead', 'Mask2FormerHead', 'SideAdapterCLIPHead'}


def seg_probabilities(seg_logits: Tensor, how: Rule) -> Tensor:
    """Turn the scores of one image into probabilities.

    Args:
        seg_logits (Tensor): What mmseg calls so, (C, H, W). One channel is
            a foreground probability (mmseg applies the sigmoid itself).
        how (str): ``'softmax'`` of logits, or ``'sum'``: non-negative scores
            divided by their sum over the classes.

    Returns:
        Tensor: Sums to 1 over the channels, (max(C, 2), H, W); of a single
        channel, background and foreground.
    """
    scores = seg_logits.float()
    # Make two channels of a single probability
    if scores.shape[0] == 1:
        return torch.cat([1 - scores, scores])
    # Normalise over the classes, by softmax or by the sum
    if how == 'softmax':
        return scores.softmax(0)
    scores = scores.clamp(min=0)
    return scores / scores.sum(0).clamp(min=1e-12)


def centre_threshold(probabilities: Tensor, threshold: float) -> Tensor:
    """Move the threshold of a head with one output to one half.

    mmseg calls a pixel foreground where its probability exceeds the head's
    ``threshold``, 0.3 by default; a refiner compares two channels. Both sides
    of the threshold are stretched to halves of [0, 1], so that the greater
    channel is what the head decides.

    Args:
        probabilities (Tensor): Background and foreground, (2, H, W).
        threshold (float): Of the foreground.

    Returns:
        Tensor: (2, H, W), sums to 1.
    """
    threshold = min(max(threshold, 1e-6), 1 - 1e-6)
    foreground = probabilities[1]
    # Stretch both sides of the threshold to halves
    below = foreground / threshold / 2
    above = 0.5 + (foreground - threshold) / (1 - threshold) / 2
    moved = torch.where(foreground > threshold, above, below)
    return torch.stack([1 - moved, moved])


def probability_rule(segmentor: nn.Module) -> Rule:
    """Choose the rule that turns ``seg_logits`` into probabilities.

    ``'sum'`` for MaskFormer, Mask2Former and SAN. ``'softmax'`` for what is
    made of mmseg's ``BaseDecodeHead``, all other heads of mmseg, those of
    cascades among them (PointHead, OCRHead, ...), whose last head counts.

    Raises:
        UserInputError: If there are no ``seg_logits`` (depth, seeds), or if
            the head is none of mmseg's or makes its prediction itself.
    """
    # Refuse models that score no classes
    head = _last_head(segmentor)
    ours = f'a {type(segmentor).__name__}'
    if (
        head is None
        or isinstance(segmentor, DepthEstimator)
        or isinstance(head, VPDDepthHead)
    ):
        raise UserInputError(
            'Expected a segmentor with a decode head that scores classes, but '
            f'got {ours}, whose prediction cannot be refined. Take an '
            'EncoderDecoder, or give `probabilities` if it has `seg_logits`.'
        )
    # Tell the rule by the head, unless the prediction is not mmseg's
    if is_query_based(segmentor):
        return 'sum'
    changed = [
        *_foreign(head, ('predict', 'predict_by_feat')),
        *_foreign(segmentor, ('predict', 'postprocess_result')),
    ]
    if isinstance(head, BaseDecodeHead) and not changed:
        return 'softmax'
    raise UserInputError(
        'Expected a decode head of mmseg, or one that leaves the prediction '
        f'to BaseDecodeHead, but got {type(head).__name__} in {ours}: its '
        '`seg_logits` may be logits or probabilities. Say which: '
        "probabilities='softmax' for logits, 'sum' for scores of 0 or more."
    )


def is_query_based(segmentor: nn.Module) -> bool:
    """Tell if the (last) decode head sums masks over queries."""
    head = type(_last_head(segmentor))
    return any(cls.__name__ in _QUERY_HEADS for cls in head.__mro__)


def _last_head(segmentor: nn.Module) -> nn.Module | None:
    head = getattr(segmentor, 'decode_head', None)
    return head[-1] if isinstance(head, nn.ModuleList) else head


def _foreign(module: nn.Module, names: Iterable[str]) -> list[str]:
    """List the methods that a class outside mmseg defines."""
    # Find the class that defines each method
    package = BaseSegmentor.__module__.split('.')[0]
    owners = {
        name: next((c for c in type(module).__mro__ if name in vars(c)), None)
        for name in names
    }
    return [
        name
        for name, owner in owners.items()
        if owner is not None and owner.__module__.split('.')[0] != package
    ]
