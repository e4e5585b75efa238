# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Min-max normalisation of class activation maps to scores in [0, 1]."""

import torch
from torch import Tensor

__all__ = ['OFFICIAL_EPSILON', 'min_max', 'min_max_over_image']

# What FMA-WSSS and CLIP-ES add to the denominator of every min-max
OFFICIAL_EPSILON = 1e-7


def min_max(values: Tensor, epsilon: float | None = None) -> Tensor:
    """Normalise by minimum and maximum along the last dimension.

    Args:
        values (Tensor): Non-negative activations, (..., M).
        epsilon (float, optional): Added to the denominator, like 1e-7 in the
            code of FMA-WSSS and of CLIP-ES; equal values then all become 0.
            By default nothing is added, equal positive values become 1 (all
            as active as the most active one) and zeros stay 0.

    Returns:
        Tensor: Values in [0, 1], same shape.

    Example:
        >>> min_max(torch.tensor([1.0, 2.0, 3.0]))
        tensor([0.0000, 0.5000, 1.0000])
        >>> min_max(torch.tensor([2.0, 2.0]))
        tensor([1., 1.])
    """
    if values.shape[-1] == 0:
        return values
    # Shift the least value to 0, and divide by the range
    low = values.amin(-1, keepdim=True)
    span = values.amax(-1, keepdim=True) - low
    if epsilon is not None:
        return (values - low) / (span + epsilon)
    # Treat equal values alike: 1 if positive, else 0
    flat = span <= 0
    scaled = (values - low) / span.masked_fill(flat, 1)
    return torch.where(flat, (values > 0).to(values), scaled)


def min_max_over_image(
    cams: Tensor, official: bool = False, rounds: int = 1
) -> Tensor:
    """Clamp CAMs at 0 and stretch each over its image to [0, 1].

    Args:
        cams (Tensor): Signed activations of the present classes, (P, H, W).
        official (bool): Add 1e-7 to the denominator like the code of FMA-WSSS
            and of CLIP-ES, so that the peak stays just below 1, and far below
            it where a CAM's own peak is as small.
        rounds (int): How often the map is stretched: FMA-WSSS once, CLIP-ES
            twice. A second time only matters with ``official``.

    Returns:
        Tensor: Float32, (P, H, W). A class without a positive value is 0.
    """
    # Drop negative activations, then stretch each map by itself
    scores = cams.float().clamp(min=0).flatten(1)
    for _ in range(rounds):
        scores = min_max(scores, OFFICIAL_EPSILON if official else None)
    return scores.view(cams.shape)
