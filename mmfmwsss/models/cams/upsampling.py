# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Class activation maps at the size of their image."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

__all__ = ['upsample_cams']


def upsample_cams(cams: Tensor, size: Sequence[int]) -> Tensor:
    """Resize maps bilinearly.

    Args:
        cams (Tensor): Maps of patches, (P, h, w).
        size (Sequence[int]): (H, W), pixels.

    Returns:
        Tensor: (P, H, W).

    Example:
        >>> import torch
        >>> upsample_cams(torch.tensor([[[0.0, 4.0]]]), (1, 4)).tolist()
        [[[0.0, 1.0, 3.0, 4.0]]]
    """
    if not len(cams):
        return cams.new_zeros(0, *size)
    return F.interpolate(
        cams[None], size=tuple(size), mode='bilinear', align_corners=False
    )[0]
