# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Softmax-GradCAM (Eq. 1 to 3) without second-order autograd."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...utils.arrays import ArrayLike, as_multi_hot
from ..clip import ImageFeatures, LastBlock

__all__ = [
    'needed_prompts',
    'present_softmax',
    'score_gradient',
    'softmax_gradcam',
]

_OFFICIAL_EPSILON = 1e-5


def needed_prompts(
    labels: Tensor, num_backgrounds: int, official: bool = False
) -> Tensor | None:
    """Select the prompts that the CAMs of a batch depend on (Eq. 1).

    Args:
        labels (Tensor): Multi-hot image-level labels, bool, (N, C).
        num_backgrounds (int): Number of background prompts, G - C.
        official (bool): See :func:`present_softmax`, whose maximum is over
            all prompts.

    Returns:
        Tensor | None: The present classes, then all backgrounds, int64, (K,);
        None for all prompts.

    Example:
        >>> labels = torch.tensor([[True, False, False], [True, False, True]])
        >>> needed_prompts(labels, num_backgrounds=2)
        tensor([0, 2, 3, 4])
    """
    if official:
        return None
    # Join the present classes and all backgrounds
    classes = labels.shape[1]
    background = torch.arange(
        classes, classes + num_backgrounds, device=labels.device
    )
    return torch.cat([labels.any(dim=0).nonzero()[:, 0], background])


def present_softmax(
    logits: Tensor, labels: Tensor, official: bool = False
) -> Tensor:
    """Take the softmax over present and all background prompts (Eq. 1).

    Args:
        logits (Tensor): Foreground prompts first, (N, G).
        labels (Tensor): Multi-hot image-level labels, bool, (N, C), C <= G.
        official (bool): Behave like FMA-WSSS's code: subtract the maximum
            over all logits, absent classes included, and add 1e-5 to the
            denominator. An absent class with a much higher logit then damps
            the scores, whose sum stays below 1.

    Returns:
        Tensor: Scores s, 0 for absent classes, (N, G).

    Example:
        >>> logits = torch.tensor([[0.0, 9.0, 0.0, 0.0]])  # 2 + 2 prompts
        >>> present_softmax(logits, torch.tensor([[True, False]]))
        tensor([[0.3333, 0.0000, 0.3333, 0.3333]])
    """
    # Leave the absent classes out of the softmax
    absent = F.pad(~labels, (0, logits.shape[1] - labels.shape[1]))
    if not official:
        return logits.masked_fill(absent, float('-inf')).softmax(dim=1)
    # Damp by the highest logit of all, as the official code does
    highest = logits.max(dim=1, keepdim=True).values
    powers = (logits - highest).exp().masked_fill(absent, 0)
    return powers / (powers.sum(dim=1, keepdim=True) + _OFFICIAL_EPSILON)


def score_gradient(
    embedding: Tensor,
    text: Tensor,
    scale: Tensor,
    labels: Tensor,
    official: bool = False,
) -> tuple[Tensor, Tensor]:
    """Differentiate the score of every present class, d s / d e.

    Args:
        embedding (Tensor): Image embeddings e, not normalised, (N, E).
        text (Tensor): L2-normalised text features, foreground first, (G, E).
        scale (Tensor): Inverse temperature, a scalar.
        labels (Tensor): Multi-hot image-level labels, bool, (N, C).
        official (bool): See :func:`present_softmax`.

    Returns:
        tuple[Tensor, Tensor]: Gradients (P, E), differentiable with respect
        to ``text``, and the (image, class) pairs of them, int64, (P, 2).
    """
    # Score the present classes at the embedding (Eq. 1)
    length = embedding.norm(dim=1, keepdim=True)
    direction = embedding / length  # (N, E)
    logits = scale * direction @ text.T  # (N, G)
    scores = present_softmax(logits, labels, official)
    # Average the prompts by their scores
    pairs = labels.nonzero()  # (P, 2)
    image, category = pairs.unbind(1)
    mean_text = scores @ text  # (N, E)
    # The official scores sum to less than 1; the rest depends on the maximum
    # logit that was subtracted.
    if official:
        missing = 1 - scores.sum(dim=1, keepdim=True)
        mean_text = mean_text + missing * text[logits.argmax(dim=1)]
    # Differentiate each score by the direction of the embedding
    expected = mean_text[image]  # (P, E)
    score = scores[image, category, None]
    along_unit = scale * score * (text[category] - expected)
    # Pass on to the embedding, whose length changes no score
    unit = direction[image]
    radial = (along_unit * unit).sum(dim=1, keepdim=True)
    return (along_unit - radial * unit) / length[image], pairs


class _ChannelWeights(torch.autograd.Function):
    """Apply Eq. 2 as a linear map of d s / d e, and its adjoint backwards.

    With a frozen last block f, the weights w = mean over patches of J^T v are
    linear in v = d s / d e, where J is the Jacobian of f. The gradient with
    respect to v is therefore J applied to the incoming gradient, spread
    evenly over the patches: first-order work in both directions.
    """

    @staticmethod
    def forward(
        ctx: Any, gradient: Tensor, images: Tensor, last_block: LastBlock
    ) -> Tensor:
        ctx.last_block = last_block
        ctx.save_for_backward(images)
        return last_block.pull_back(gradient, images)  # (P, D)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None]:
        (images,) = ctx.saved_tensors
        (grad,) = grad_outputs
        with torch.autocast(grad.device.type, enabled=False):
            return ctx.last_block.push_forward(grad, images), None, None


def softmax_gradcam(
    features: ImageFeatures,
    last_block: LastBlock,
    text: Tensor,
    scale: Tensor,
    labels: ArrayLike,
    official: bool = False,
) -> tuple[Tensor, Tensor]:
    """Make the class activation maps of all present classes (Eq. 1 to 3).

    The maps are signed: the ReLU of Eq. 3 is left to whoever reads them,
    since the CAM activation loss also learns from negative activations.

    Args:
        features (ImageFeatures): Of N images.
        last_block (LastBlock): The frozen last block at these images.
        text (Tensor): L2-normalised text features, foreground first, (G, E).
        scale (Tensor): Inverse temperature, a scalar.
        labels (ArrayLike): Multi-hot image-level labels, 0 and 1 of any type,
            (N, C).
        official (bool): See :func:`present_softmax`.

    Returns:
        tuple[Tensor, Tensor]: Maps (P, h, w), differentiable with respect to
        ``text`` by first-order work only, and the (image, class) pairs they
        belong to, int64, (P, 2).

    Raises:
        UserInputError: If labels are not 0 or 1.
    """
    with torch.autocast(text.device.type, enabled=False):
        # Differentiate the scores of the present classes (Eq. 1)
        gradient, pairs = score_gradient(
            last_block.embedding.float(),
            text.float(),
            scale.float(),
            as_multi_hot(labels).to(text.device),
            official,
        )
        if not len(pairs):
            # Still a function of the text: every process has its gradient
            none = gradient @ gradient.new_zeros(
                gradient.shape[1], features.grid[0] * features.grid[1]
            )
            return none.unflatten(1, features.grid), pairs
        # Weigh the channels by their mean gradient (Eq. 2)
        images = pairs[:, 0]
        weights = _ChannelWeights.apply(gradient, images, last_block)
        # Sum the weighted channels (Eq. 3 before its ReLU)
        cams = features.tokens[images, 1:] @ weights[..., None]
    return cams[..., 0].unflatten(1, features.grid), pairs
