# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Class activation maps at the size of their image."""

from collections.abc import Sequence

import torch.nn.functional as F

from ...utils.arrays import Array, as_tensor, give_back

__all__ = ['upsample_cams']


def upsample_cams(cams: Array, size: Sequence[int]) -> Array:
    """Resize maps bilinearly.

    Args:
        cams (Tensor | ndarray): Maps of patches, (P, h, w).
        size (Sequence[int]): (H, W), pixels.

    Returns:
        Tensor | ndarray: (P, H, W), of the kind of the maps.

    Example:
        >>> import torch
        >>> upsample_cams(torch.tensor([[[0.0, 4.0]]]), (1, 4)).tolist()
        [[[0.0, 1.0, 3.0, 4.0]]]
    """
    maps = as_tensor(cams, 'cams')
    if not len(maps):
        return give_back(maps.new_zeros(0, *size), cams)
    resized = F.interpolate(
        maps[None], size=tuple(size), mode='bilinear', align_corners=False
    )[0]
    return give_back(resized, cams)
