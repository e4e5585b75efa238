# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Softmax-GradCAM against double backward and a loop over classes."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mmfmwsss.models.cams import (
    needed_prompts,
    present_softmax,
    score_gradient,
    softmax_gradcam,
)
from mmfmwsss.models.clip import FrozenCLIP, ImageFeatures, LastBlock
from mmfmwsss.workshop.tiny_models import embed_image, random_clip

C, G = 3, 5  # foreground classes, all prompts


@pytest.fixture(scope='module')
def clip() -> FrozenCLIP:
    return random_clip()


def case(
    clip: FrozenCLIP, labels: Tensor
) -> tuple[ImageFeatures, LastBlock, Tensor]:
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(len(labels), 3, 32, 40, generator=generator)
    features = clip.encode_trunk(images)
    last_block = clip.run_last_block(features)
    text = F.normalize(torch.randn(G, 16, generator=generator), dim=1)
    return features, last_block, text.requires_grad_()


def cams_by_double_backward(
    clip: FrozenCLIP,
    features: ImageFeatures,
    text: Tensor,
    labels: Tensor,
    official: bool = False,
) -> Tensor:
    """Eq. 1 to 3, one (image, class) pair at a time."""
    cams = []
    for n, c in labels.nonzero().tolist():
        tokens = features.tokens[n : n + 1].clone().requires_grad_()
        embedding = embed_image(clip, tokens, features.residual[n : n + 1])
        logits = clip.scale * F.normalize(embedding, dim=1) @ text.T
        kept = [k for k in range(G) if k >= C or labels[n, k]]
        score = logits[0, kept].softmax(0)[kept.index(c)]
        if official:  # FMA-WSSS's code
            powers = (logits[0] - logits[0].max()).exp()
            score = powers[c] / (powers[kept].sum() + 1e-5)
        (grad,) = torch.autograd.grad(score, tokens, create_graph=True)
        weight = grad[0, 1:].mean(dim=0)
        cam = (tokens.detach()[0, 1:] * weight).sum(dim=1)
        cams.append(cam.view(features.grid))
    return torch.stack(cams)


LABELS = [
    torch.tensor([[True, False, False]]),
    torch.tensor([[True, False, True], [False, True, False]]),
    torch.tensor([[True] * 3, [False] * 3, [False, True, False]]),
]  # fmt: skip


@pytest.mark.parametrize('official', [False, True])
@pytest.mark.parametrize('labels', LABELS)
def test_equals_double_backward(
    clip: FrozenCLIP, labels: Tensor, official: bool
) -> None:
    features, last_block, text = case(clip, labels)
    if official:  # an absent class dominates the image: the epsilon counts
        text = text.detach()
        text[1] = F.normalize(last_block.embedding[0] + 0.1 * text[1], dim=0)
        text.requires_grad_()
    cams, pairs = softmax_gradcam(
        features, last_block, text, clip.scale, labels, official
    )
    expected = cams_by_double_backward(clip, features, text, labels, official)
    assert pairs.tolist() == labels.nonzero().tolist()
    scale = expected.abs().max()
    # Two nearly equal vectors are subtracted where a score is saturated.
    tolerance = 1e-4 if official else 1e-5
    assert (cams - expected).abs().max() <= tolerance * scale

    # Seeded: how far cancellation goes depends on the weights.
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(expected.shape, generator=generator)
    (ours,) = torch.autograd.grad((cams * weight).sum(), text)
    (theirs,) = torch.autograd.grad((expected * weight).sum(), text)
    assert (ours - theirs).abs().max() <= tolerance * theirs.abs().max()


def test_present_softmax_by_hand() -> None:
    logits = torch.tensor([[0.0, 9.0, 0.0, 0.0]])  # 2 foreground, 2 background
    scores = present_softmax(logits, torch.tensor([[True, False]]))
    torch.testing.assert_close(scores, torch.tensor([[1, 0, 1, 1]]) / 3)


def test_official_softmax_by_hand() -> None:
    labels = torch.tensor([[True, False]])
    logits = torch.tensor([[0.0, 10.0, 1.0]])  # the absent class is highest
    scores = present_softmax(logits, labels, official=True)[0]
    powers = [math.exp(-10), math.exp(-9)]
    expected = [p / (sum(powers) + 1e-5) for p in (powers[0], 0, powers[1])]
    torch.testing.assert_close(scores, torch.tensor(expected))
    assert scores.sum() < 0.95  # damped
    logits[0, 1] = -3.0  # not the highest: next to no difference
    torch.testing.assert_close(
        present_softmax(logits, labels, official=True),
        present_softmax(logits, labels),
        rtol=2e-5, atol=0,
    )  # fmt: skip
    torch.testing.assert_close(
        present_softmax(logits + 90, labels, official=True),
        present_softmax(logits, labels, official=True),
    )


def test_prompts_of_present_classes_and_backgrounds_are_needed() -> None:
    labels = torch.tensor([[True, False, False], [True, False, True]])
    needed = needed_prompts(labels, num_backgrounds=2)
    assert needed is not None and needed.tolist() == [0, 2, 3, 4]
    # The official softmax subtracts the highest logit of all
    assert needed_prompts(labels, num_backgrounds=2, official=True) is None


def test_score_gradient_equals_autograd(clip: FrozenCLIP) -> None:
    labels = LABELS[1]
    _, last_block, text = case(clip, labels)
    embedding = last_block.embedding.requires_grad_()
    gradient, pairs = score_gradient(embedding, text, clip.scale, labels)
    logits = clip.scale * F.normalize(embedding, dim=1) @ text.T
    scores = present_softmax(logits, labels)
    for row, (n, c) in zip(gradient, pairs.tolist(), strict=True):
        (expected,) = torch.autograd.grad(
            scores[n, c], embedding, retain_graph=True
        )
        torch.testing.assert_close(row, expected[n], rtol=1e-4, atol=1e-7)


def test_absent_classes_change_nothing(clip: FrozenCLIP) -> None:
    labels = LABELS[0]
    features, last_block, text = case(clip, labels)
    cams, _ = softmax_gradcam(features, last_block, text, clip.scale, labels)
    other = text.detach().clone()
    other[1] = F.normalize(torch.randn(16), dim=0)
    again, _ = softmax_gradcam(features, last_block, other, clip.scale, labels)
    torch.testing.assert_close(cams, again)


def test_works_under_no_grad_and_without_classes(clip: FrozenCLIP) -> None:
    labels = LABELS[1]
    features, last_block, text = case(clip, labels)
    with torch.no_grad():
        cams, _ = softmax_gradcam(
            features, last_block, text, clip.scale, labels
        )
    expected, _ = softmax_gradcam(
        features, last_block, text, clip.scale, labels
    )
    torch.testing.assert_close(cams, expected.detach())
    none, pairs = softmax_gradcam(
        features, last_block, text, clip.scale, torch.zeros_like(labels)
    )
    assert none.shape == (0, *features.grid)
    assert pairs.shape == (0, 2)


def test_images_do_not_influence_each_other(clip: FrozenCLIP) -> None:
    labels = LABELS[1]
    features, last_block, text = case(clip, labels)
    cams, pairs = softmax_gradcam(
        features, last_block, text, clip.scale, labels
    )
    second = torch.tensor([1])
    alone, _ = softmax_gradcam(
        features[second],
        clip.run_last_block(features[second]),
        text,
        clip.scale,
        labels[1:],
    )
    torch.testing.assert_close(cams[pairs[:, 0] == 1], alone)
