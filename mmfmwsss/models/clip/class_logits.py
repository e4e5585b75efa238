# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Similarities of images and prompts."""

import torch.nn.functional as F
from torch import Tensor

__all__ = ['class_logits']


def class_logits(embedding: Tensor, text: Tensor, scale: Tensor) -> Tensor:
    """Compute cosine similarities over the temperature.

    Args:
        embedding (Tensor): Image embeddings, not normalised, (N, E).
        text (Tensor): L2-normalised text features, (G, E).
        scale (Tensor): Inverse temperature 1 / tau, a scalar.

    Returns:
        Tensor: (N, G).

    Example:
        >>> import torch
        >>> image = torch.tensor([[3.0, 4.0]])
        >>> text = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> class_logits(image, text, torch.tensor(100.0)).round()
        tensor([[60., 80.]])
    """
    return scale * F.normalize(embedding, dim=1) @ text.T
