# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
import pytest
import torch

from mmfmwsss.models.masks.fast.decoder import prepare_fast, prepare_plain


@pytest.fixture
def prompts(sam):
    torch.manual_seed(1)
    embedding = sam.image_encoder(torch.randn(1, 3, 64, 64))
    return embedding, torch.rand(13, 2, dtype=torch.float64) * 64


def everything(iou):
    return torch.ones_like(iou, dtype=torch.bool)


def test_is_segment_anythings_decoder_in_double_precision(sam, prompts):
    embedding, points = prompts
    try:
        sam.mask_decoder.double()
        fast, plain = (
            prepare(sam, embedding.double())(points, everything)
            for prepare in (prepare_fast, prepare_plain)
        )
    finally:
        sam.mask_decoder.float()
    # The prompts stay in single precision in both.
    torch.testing.assert_close(fast.logits, plain.logits)
    torch.testing.assert_close(fast.predicted_iou, plain.predicted_iou)
    assert torch.equal(fast.levels, plain.levels)
    assert fast.levels.tolist() == [0, 1, 2] * 13


@pytest.mark.parametrize('prepare', [prepare_fast, prepare_plain])
def test_keeps_what_the_rule_keeps(sam, prompts, prepare):
    embedding, points = prompts
    decode = prepare(sam, embedding)
    complete = decode(points, everything)
    median = complete.predicted_iou.median()
    some = decode(points, lambda iou: iou > median)
    kept = complete.predicted_iou > median
    assert 0 < kept.sum() < len(kept)
    torch.testing.assert_close(some.logits, complete.logits[kept])
    assert torch.equal(some.levels, complete.levels[kept])


@pytest.mark.parametrize('prepare', [prepare_fast, prepare_plain])
def test_keeps_nothing(sam, prompts, prepare):
    embedding, points = prompts
    none = prepare(sam, embedding)(points, lambda iou: ~everything(iou))
    assert none.logits.shape == (0, 32, 32)
    assert none.predicted_iou.shape == none.levels.shape == (0,)
