# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Softmax-GradCAM (Eq. 1 to 3) without second-order autograd."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..clip import FrozenCLIP, ImageFeatures

__all__ = ['present_softmax', 'score_gradient', 'softmax_gradcam']


def present_softmax(logits: Tensor, labels: Tensor) -> Tensor:
    """Softmax over the present foreground and all background prompts (Eq. 1).

    Args:
        logits (Tensor): Foreground prompts first, (N, G).
        labels (Tensor): Multi-hot image-level labels, bool, (N, C), C <= G.

    Returns:
        Tensor: Scores s, 0 for absent classes, (N, G).
    """
    absent = F.pad(~labels, (0, logits.shape[1] - labels.shape[1]))
    return logits.masked_fill(absent, float('-inf')).softmax(dim=1)


def score_gradient(
    embedding: Tensor, text: Tensor, scale: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradient of the softmax score of every present class, d s / d e.

    Args:
        embedding (Tensor): Image embeddings e, not normalised, (N, E).
        text (Tensor): L2-normalised text features, foreground first, (G, E).
        scale (Tensor): Inverse temperature, a scalar.
        labels (Tensor): Multi-hot image-level labels, bool, (N, C).

    Returns:
        tuple[Tensor, Tensor]: Gradients (P, E), differentiable with respect
        to ``text``, and the (image, class) pairs of them, int64, (P, 2).
    """
    length = embedding.norm(dim=1, keepdim=True)
    direction = embedding / length  # (N, E)
    scores = present_softmax(scale * direction @ text.T, labels)  # (N, G)
    pairs = labels.nonzero()  # (P, 2)
    image, category = pairs.unbind(1)
    expected = (scores @ text)[image]  # (P, E)
    score = scores[image, category, None]
    along_unit = scale * score * (text[category] - expected)
    unit = direction[image]
    radial = (along_unit * unit).sum(dim=1, keepdim=True)
    return (along_unit - radial * unit) / length[image], pairs


class _ChannelWeights(torch.autograd.Function):
    """Eq. 2 as a linear map of d s / d e: vjp forwards, jvp backwards.

    With a frozen last block f, the weights w = mean over patches of J^T v are
    linear in v = d s / d e, where J is the Jacobian of f. The gradient with
    respect to v is therefore J applied to the incoming gradient, spread
    evenly over the patches: first-order work in both directions.
    """

    @staticmethod
    def forward(
        ctx: Any, gradient: Tensor, features: ImageFeatures, clip: FrozenCLIP
    ) -> Tensor:
        ctx.features, ctx.clip = features, clip
        # The stubs also know a variant with auxiliary outputs.
        _, pull_back = torch.func.vjp(  # type: ignore[misc]
            lambda tokens: clip.embed_image(tokens, features.residual),
            features.tokens,
        )
        (per_token,) = pull_back(gradient.to(features.tokens.dtype))
        return per_token[:, 1:].mean(dim=1)  # (P, D)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None]:
        features, clip = ctx.features, ctx.clip
        (grad,) = grad_outputs
        patches = features.tokens.shape[1] - 1
        spread = (grad / patches)[:, None].expand(-1, patches, -1)
        tangent = F.pad(spread, (0, 0, 1, 0))  # nothing on the class token
        _, grad_gradient = torch.func.jvp(  # type: ignore[misc]
            lambda tokens: clip.embed_image(tokens, features.residual),
            (features.tokens,),
            (tangent.contiguous(),),
        )
        return grad_gradient, None, None


def softmax_gradcam(
    clip: FrozenCLIP,
    features: ImageFeatures,
    embedding: Tensor,
    text: Tensor,
    labels: Tensor,
) -> tuple[Tensor, Tensor]:
    """Class activation maps of every present class of every image.

    The maps are signed: the ReLU of Eq. 3 is left to whoever reads them,
    since the CAM activation loss also learns from negative activations.

    Args:
        clip (FrozenCLIP): The frozen model.
        features (ImageFeatures): Of N images.
        embedding (Tensor): Their image embeddings, (N, E).
        text (Tensor): L2-normalised text features, foreground first, (G, E).
        labels (Tensor): Multi-hot image-level labels, bool, (N, C).

    Returns:
        tuple[Tensor, Tensor]: Maps (P, h, w), differentiable with respect to
        ``text`` by first-order work only, and the (image, class) pairs they
        belong to, int64, (P, 2).
    """
    with torch.autocast(embedding.device.type, enabled=False):
        gradient, pairs = score_gradient(
            embedding.float(), text.float(), clip.scale.float(), labels
        )
        if not len(pairs):
            return embedding.new_zeros(0, *features.grid), pairs
        paired = features[pairs[:, 0]]
        weights = _ChannelWeights.apply(gradient, paired, clip)  # (P, D)
        cams = (paired.tokens[:, 1:] * weights[:, None]).sum(dim=2)
    return cams.unflatten(1, features.grid), pairs
