# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The last block in closed form against autograd through the plain one."""

from typing import Any

import pytest
import torch
from torch import Tensor

from mmfmwsss.models.clip import FrozenCLIP, last_block
from mmfmwsss.models.clip.last_block import LastBlock
from mmfmwsss.workshop.tiny_models import embed_image, random_clip_arch


def double_clip(**vision: Any) -> FrozenCLIP:
    """In float64, so that formulas and rounding can be told apart."""
    arch = random_clip_arch()
    quick_gelu = vision.pop('quick_gelu', False)
    arch['vision_cfg'].update(vision)
    torch.manual_seed(0)
    clip = FrozenCLIP(dict(arch, quick_gelu=quick_gelu))
    for name, parameter in clip.named_parameters():
        if parameter.ndim >= 1 and 'token_embedding' not in name:
            parameter.data += 0.1 * torch.randn_like(parameter)
    return clip.double()


CLIPS = [dict(), dict(quick_gelu=True), dict(ls_init_value=0.5)]


def case(clip: FrozenCLIP) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens and residual of 3 images, and the images of 6 pairs."""
    generator = torch.Generator().manual_seed(1)
    tokens, residual = torch.randn(
        2, 3, 13, 32, generator=generator, dtype=torch.float64
    )
    return tokens, residual, torch.tensor([2, 0, 0, 2, 1, 0])


@pytest.mark.parametrize('settings', CLIPS)
def test_embedding(settings: dict[str, Any]) -> None:
    clip = double_clip(**settings)
    tokens, residual, _ = case(clip)
    ours = LastBlock(clip.model, tokens, residual).embedding
    torch.testing.assert_close(ours, embed_image(clip, tokens, residual))


@pytest.mark.parametrize('settings', CLIPS)
def test_pull_back_equals_autograd(settings: dict[str, Any]) -> None:
    clip = double_clip(**settings)
    tokens, residual, images = case(clip)
    vectors = torch.randn(6, 16, dtype=torch.float64)
    ours = LastBlock(clip.model, tokens, residual).pull_back(vectors, images)
    for row, (vector, n) in enumerate(zip(vectors, images, strict=True)):
        leaf = tokens[n : n + 1].clone().requires_grad_()
        embedding = embed_image(clip, leaf, residual[n : n + 1])
        (grad,) = torch.autograd.grad(embedding @ vector, leaf)
        torch.testing.assert_close(ours[row], grad[0, 1:].mean(dim=0))


@pytest.mark.parametrize('settings', CLIPS)
def test_push_forward_equals_a_difference(settings: dict[str, Any]) -> None:
    clip = double_clip(**settings)
    tokens, residual, images = case(clip)
    vectors = torch.randn(6, 32, dtype=torch.float64)
    block = LastBlock(clip.model, tokens, residual)
    ours = block.push_forward(vectors, images)
    step = 1e-5
    for row, (vector, n) in enumerate(zip(vectors, images, strict=True)):
        ends = []
        for sign in (1, -1):
            moved = tokens[n : n + 1].clone()
            moved[:, 1:] += sign * step * vector / 12  # not the class token
            ends.append(embed_image(clip, moved, residual[n : n + 1])[0])
        expected = (ends[0] - ends[1]) / (2 * step)
        torch.testing.assert_close(ours[row], expected, rtol=1e-6, atol=1e-8)


def test_pairs_are_bounded_by_their_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clip = double_clip()
    tokens, residual, images = case(clip)
    block = LastBlock(clip.model, tokens, residual)
    outer = torch.randn(6, 16, dtype=torch.float64)
    inner = torch.randn(6, 32, dtype=torch.float64)
    ways = (block.pull_back(outer, images), block.push_forward(inner, images))
    # 2 heads of 12 x 13 weights, 12 patches of 128 slopes, 8 bytes, twice
    of_pair = 2 * 8 * (2 * 12 * 13 + 12 * 128)
    for size, expected in ((2 * of_pair + 1, [2, 2, 2]), (1, [1] * 6)):
        monkeypatch.setattr(last_block, '_BYTES_OF_PAIRS', size)
        parts = block._parts(outer, images)
        assert [len(vectors) for vectors, _ in parts] == expected
        torch.testing.assert_close(block.pull_back(outer, images), ways[0])
        torch.testing.assert_close(block.push_forward(inner, images), ways[1])


def test_they_are_adjoint_and_pairs_do_not_mix() -> None:
    clip = double_clip()
    tokens, residual, images = case(clip)
    block = LastBlock(clip.model, tokens, residual)
    outer = torch.randn(6, 16, dtype=torch.float64)
    inner = torch.randn(6, 32, dtype=torch.float64)
    left = (block.pull_back(outer, images) * inner).sum(dim=1)
    right = (block.push_forward(inner, images) * outer).sum(dim=1)
    torch.testing.assert_close(left, right)
    alone = block.pull_back(outer[4:5], images[4:5])
    torch.testing.assert_close(alone, block.pull_back(outer, images)[4:5])
