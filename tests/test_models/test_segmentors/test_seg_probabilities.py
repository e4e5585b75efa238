# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Probabilities of a network's scores."""

import torch
from torch import nn

from mmfmwsss.models.segmentors.seg_probabilities import (
    is_query_based,
    seg_probabilities,
)


def test_probabilities_by_hand():
    logits = torch.tensor([[[0.0]], [[3.0]]]).log()
    ones = seg_probabilities(logits, 'softmax')
    torch.testing.assert_close(ones, torch.tensor([[[0.0]], [[1.0]]]))
    scores = torch.tensor([[[1.0]], [[3.0]]])
    shares = seg_probabilities(scores, 'sum')
    torch.testing.assert_close(shares, torch.tensor([[[0.25]], [[0.75]]]))
    assert (seg_probabilities(scores * 0, 'sum') == 0).all()
    single = seg_probabilities(torch.tensor([[[0.3]]]), 'softmax')
    torch.testing.assert_close(single, torch.tensor([[[0.7]], [[0.3]]]))


def test_finds_the_head():
    class Mask2FormerHead(nn.Module):
        pass

    class MyHead(Mask2FormerHead):
        pass

    model = nn.Module()
    assert not is_query_based(model)
    model.decode_head = nn.Linear(1, 1)
    assert not is_query_based(model)
    model.decode_head = MyHead()
    assert is_query_based(model)
    model.decode_head = nn.ModuleList([nn.Linear(1, 1), Mask2FormerHead()])
    assert is_query_based(model)
