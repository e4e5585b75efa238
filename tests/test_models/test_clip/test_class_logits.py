# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Logits by hand, by a loop, and in mixed precision."""

import math

import torch
from torch.nn import functional as F

from mmfmwsss.models.clip import class_logits


def random_case() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(4, 16, generator=generator)
    text = F.normalize(torch.randn(5, 16, generator=generator), dim=1)
    return images, text, torch.tensor(100.0)


def test_by_hand():
    """Along the second prompt, and half-way between both."""
    images = torch.tensor([[0.0, 7.0], [2.0, 2.0]])
    logits = class_logits(images, torch.eye(2), torch.tensor(10.0))
    half = 10 / math.sqrt(2)
    torch.testing.assert_close(logits, torch.tensor([[0, 10.0], [half, half]]))


def test_equals_a_loop_over_pairs():
    images, text, scale = random_case()
    logits = class_logits(images, text, scale)
    for n, image in enumerate(images.double()):
        for g, prompt in enumerate(text.double()):
            cosine = float(image @ prompt) / math.sqrt(float(image @ image))
            assert math.isclose(logits[n, g], 100 * cosine, abs_tol=1e-3)


def test_the_length_of_an_embedding_changes_nothing():
    images, text, scale = random_case()
    torch.testing.assert_close(
        class_logits(7 * images, text, scale),
        class_logits(images, text, scale),
    )


def test_mixed_precision_rounds_no_logit():
    images, text, scale = random_case()
    expected = class_logits(images, text, scale)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(class_logits(images, text, scale), expected)
    logits = class_logits(images.half(), text, scale)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, expected, atol=0.1, rtol=0)


def test_no_image():
    _, text, scale = random_case()
    assert class_logits(torch.zeros(0, 16), text, scale).shape == (0, 5)
