# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
from copy import deepcopy

import pytest
import torch

from mmfmwsss.models.masks.fast import decoder as module
from mmfmwsss.models.masks.fast.decoder import FastDecoder
from mmfmwsss.models.masks.sam_decoder import PlainDecoder


@pytest.fixture
def prompts(sam):
    torch.manual_seed(1)
    embedding = sam.image_encoder(torch.randn(1, 3, 64, 64))
    return embedding, torch.rand(13, 2, dtype=torch.float64) * 64


def masks_of(decoder, sam, prompts, threshold=-torch.inf):
    embedding, points = prompts
    decoded = decoder(sam, embedding).decode(points)
    return decoded.masks(decoded.predicted_iou > threshold)


def test_is_segment_anythings_decoder_in_double_precision(sam, prompts):
    embedding, points = prompts
    sam = deepcopy(sam)
    sam.mask_decoder.double()
    # Kernels that differ from place to place, unlike those of the random SAM
    generator = torch.Generator().manual_seed(0)
    for convolution in sam.mask_decoder.output_upscaling[::3]:
        convolution.weight.normal_(std=0.2, generator=generator)
    fast, plain = (
        masks_of(decoder, sam, (embedding.double(), points))
        for decoder in (FastDecoder, PlainDecoder)
    )
    # The prompts stay in single precision in both.
    torch.testing.assert_close(fast.logits, plain.logits)
    torch.testing.assert_close(fast.predicted_iou, plain.predicted_iou)
    assert torch.equal(fast.levels, plain.levels)
    assert fast.levels.tolist() == [0, 1, 2] * 13


@pytest.mark.parametrize('decoder', [FastDecoder, PlainDecoder])
def test_makes_the_masks_that_are_kept(sam, prompts, decoder):
    complete = masks_of(decoder, sam, prompts)
    median = float(complete.predicted_iou.median())
    some = masks_of(decoder, sam, prompts, median)
    kept = complete.predicted_iou > median
    assert 0 < kept.sum() < len(kept)
    torch.testing.assert_close(some.logits, complete.logits[kept])
    assert torch.equal(some.levels, complete.levels[kept])


@pytest.mark.parametrize('decoder', [FastDecoder, PlainDecoder])
def test_keeps_nothing(sam, prompts, decoder):
    none = masks_of(decoder, sam, prompts, torch.inf)
    assert none.logits.shape == (0, 32, 32)
    assert none.predicted_iou.shape == none.levels.shape == (0,)
    assert decoder(sam, prompts[0]).mask_size == (32, 32)


def test_batches_fit_the_cache_of_a_cpu(sam, prompts, monkeypatch):
    fast = FastDecoder(sam, prompts[0])
    monkeypatch.setattr(module, 'CPU_ELEMENTS', 0)
    assert [fast.batch_size(most) for most in (3, 50)] == [3, 8]
    each = fast.image.elements_per_point
    monkeypatch.setattr(module, 'CPU_ELEMENTS', 11 * each)
    assert [fast.batch_size(most) for most in (3, 50)] == [3, 11]
    assert PlainDecoder(sam, prompts[0]).batch_size(50) == 50


@pytest.mark.parametrize('threshold', [-torch.inf, 'median', torch.inf])
@pytest.mark.parametrize('size', [1, 3, 13])
def test_parts_of_the_points_are_the_whole(
    sam, prompts, monkeypatch, size, threshold
):
    """13 points at once, whose image tokens are worked on in parts."""
    plain = masks_of(PlainDecoder, sam, prompts)
    if threshold == 'median':
        threshold = float(plain.predicted_iou.median())
    kept = plain.predicted_iou > threshold
    each = FastDecoder(sam, prompts[0]).image.elements_per_point
    monkeypatch.setattr(module, 'CPU_ELEMENTS', size * each)
    found = masks_of(FastDecoder, sam, prompts, threshold)
    torch.testing.assert_close(
        found.logits, plain.logits[kept], rtol=1e-3, atol=1e-4
    )
    assert torch.equal(found.levels, plain.levels[kept])
