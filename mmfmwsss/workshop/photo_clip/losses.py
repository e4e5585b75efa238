# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Teach the photo CLIP names, places, maps and likeness by its teacher."""

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ['attention_loss', 'cam_loss', 'contrast_loss', 'place_loss']

_TINY = 1e-6
_LEAK = 0.1  # of negative activations


def contrast_loss(logits: Tensor, mass: Tensor) -> Tensor:
    """Match photos and names in both directions, by the teacher's shares.

    Args:
        logits (Tensor): Of N photos and G names, (N, G).
        mass (Tensor): Probability that the teacher gives each name, (N, G).

    Returns:
        Tensor: Scalar.
    """
    # Share the mass out among the names, and among the photos
    of_names = mass / mass.sum(dim=1, keepdim=True).clamp_min(_TINY)
    of_photos = mass / mass.sum(dim=0, keepdim=True).clamp_min(_TINY)
    seen = mass.sum(dim=0).clamp(max=1)  # names of no photo say nothing
    # Take the cross entropy in both directions
    to_names = -(of_names * logits.log_softmax(dim=1)).sum(dim=1).mean()
    to_photos = -(of_photos * logits.log_softmax(dim=0)).sum(dim=0)
    return to_names + (to_photos * seen).sum() / seen.sum().clamp_min(_TINY)


def place_loss(logits: Tensor, mass: Tensor, keep: Tensor) -> Tensor:
    """Name at each place what the teacher names there.

    Args:
        logits (Tensor): Of K places of N photos, (N, K, G).
        mass (Tensor): The teacher's probabilities there, (N, K, G).
        keep (Tensor): Weight of each photo, (N, 1).

    Returns:
        Tensor: Scalar.
    """
    total = mass.sum(dim=-1)  # small where something else is seen
    targets = mass / total.clamp_min(_TINY)[..., None]
    each = -(targets * logits.log_softmax(dim=-1)).sum(dim=-1)
    weight = total * keep
    return (each * weight).sum() / weight.sum().clamp_min(1)


def cam_loss(
    scores: Tensor, tokens: Tensor, teacher_maps: Tensor, weight: Tensor
) -> Tensor:
    """Let Softmax-GradCAM show what the teacher's class map shows.

    1 - cosine of the two maps. Eq. 2 and 3 are differentiated again.

    Args:
        scores (Tensor): Softmax score of one name a photo, (N,).
        tokens (Tensor): Which the scores come from, class token first,
            (N, 1 + hw, D).
        teacher_maps (Tensor): At least 0, (N, hw).
        weight (Tensor): Of each photo, (N,).

    Returns:
        Tensor: Scalar.
    """
    # Weight the channels by the gradient, as Softmax-GradCAM does
    (gradient,) = torch.autograd.grad(scores.sum(), tokens, create_graph=True)
    channels = F.normalize(gradient[:, 1:].mean(dim=1), dim=1)  # length aside
    cams = (tokens[:, 1:] @ channels[..., None])[..., 0]
    # Compare with the teacher's maps, in shape but not in scale
    cosine = F.cosine_similarity(
        F.leaky_relu(cams, _LEAK), teacher_maps, dim=1
    )
    return ((1 - cosine) * weight).sum() / weight.sum().clamp_min(1)


def attention_loss(
    attention: Tensor, features: Tensor, temperature: float
) -> Tensor:
    """Compute attention's divergence from likeness of stem features.

    Args:
        attention (Tensor): Class token first, (N, 1 + hw, 1 + hw).
        features (Tensor): Standardised, (N, C, h, w).
        temperature (float): Of the softmax over cosines.

    Returns:
        Tensor: Mean Kullback-Leibler divergence, a scalar.
    """
    # Measure how alike the features of places are
    places = F.normalize(features.flatten(2).transpose(1, 2), dim=-1)
    likeness = (places @ places.transpose(1, 2) / temperature).log_softmax(-1)
    # Compare with the attention among patches, class token aside
    patches = attention[:, 1:, 1:].clamp_min(1e-12)
    found = (patches / patches.sum(dim=-1, keepdim=True)).log()
    return (
        F.kl_div(found, likeness, log_target=True, reduction='none')
        .sum(dim=-1)
        .mean()
    )
