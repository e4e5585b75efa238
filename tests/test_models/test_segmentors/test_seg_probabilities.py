# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Probabilities of a network's scores."""

import pytest
import torch
from mmseg.models import decode_heads
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.segmentors import DepthEstimator, EncoderDecoder
from torch import nn

from mmfmwsss.models.segmentors.seg_probabilities import (
    centre_threshold,
    is_query_based,
    probability_rule,
    seg_probabilities,
)
from mmfmwsss.utils import UserInputError

HEADS = {
    name: head
    for name, head in vars(decode_heads).items()
    if hasattr(head, 'predict')  # not the parts of KNet's
}
SUMS = {'MaskFormerHead', 'Mask2FormerHead', 'SideAdapterCLIPHead'}


def hollow(cls: type[nn.Module]) -> nn.Module:
    """An object of a class without its parts."""
    module = cls.__new__(cls)
    nn.Module.__init__(module)
    return module


def network(head: nn.Module, cls: type[nn.Module] = EncoderDecoder):
    model = hollow(cls)
    model.decode_head = head
    return model


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


def test_all_heads_of_mmseg_are_known():
    assert len(HEADS) >= 30
    assert set(HEADS) >= {*SUMS, 'PointHead', 'OCRHead', 'STDCHead'}
    for name, head in HEADS.items():
        model = network(hollow(head))
        if name == 'VPDDepthHead':
            with pytest.raises(UserInputError, match='cannot be refined'):
                probability_rule(model)
            continue
        rule = probability_rule(model)
        assert rule == ('sum' if name in SUMS else 'softmax'), name
        cascade = network(nn.ModuleList([nn.Linear(1, 1), hollow(head)]))
        assert probability_rule(cascade) == rule


def test_san_sums_over_queries():
    """Two queries by hand: the pixel that both masks leave is as sure."""
    head = hollow(HEADS['SideAdapterCLIPHead'])
    masks = torch.tensor([[[[9.0, -9.0]], [[-9.0, -2.0]]]])  # (1, 2, 1, 2)
    classes = torch.tensor([[[4.0, 0.0, 0.0], [0.0, 4.0, 0.0]]])
    meta = [dict(img_shape=torch.Size([1, 2]))]
    logits = head.predict_by_feat([masks, classes], meta)[0]
    found = seg_probabilities(logits, probability_rule(network(head)))
    share = classes.softmax(-1)[0, :, :-1]
    expected = torch.stack(
        [
            share[0, c] * masks[0, 0].sigmoid()
            + share[1, c] * masks[0, 1].sigmoid()
            for c in range(2)
        ]
    )
    torch.testing.assert_close(found, expected / expected.sum(0))
    # a softmax of the same would call the second pixel undecided
    assert found[1, 0, 1] > 0.9 > 0.6 > logits.softmax(0)[1, 0, 1]


def test_unknown_heads_say_what_they_predict():
    class Ours(BaseDecodeHead):
        """Only scores: BaseDecodeHead predicts."""

        def forward(self, inputs):
            return inputs

    class Theirs(Ours):
        def predict(self, *args, **kwargs):
            """May be anything."""

    class Own(EncoderDecoder):
        def postprocess_result(self, *args, **kwargs):
            """May be anything."""

    assert probability_rule(network(hollow(Ours))) == 'softmax'
    for model in (
        network(hollow(Theirs)),
        network(nn.Linear(1, 1)),
        network(hollow(Ours), Own),
    ):
        with pytest.raises(UserInputError, match="probabilities='softmax'"):
            probability_rule(model)
    for model in (network(hollow(Ours), DepthEstimator), nn.Linear(1, 1)):
        with pytest.raises(UserInputError, match='cannot be refined'):
            probability_rule(model)


def test_the_threshold_becomes_one_half():
    foreground = torch.tensor([[0.0, 0.15, 0.3, 0.31, 0.65, 1.0]])
    found = centre_threshold(torch.stack([1 - foreground, foreground]), 0.3)
    torch.testing.assert_close(found.sum(0), torch.ones(1, 6))
    expected = torch.tensor([0.0, 0.25, 0.5, 0.5071, 0.75, 1.0])
    torch.testing.assert_close(found[1, 0], expected, atol=1e-4, rtol=0)
    decided = found.argmax(0)[0].bool()
    assert decided.tolist() == (foreground > 0.3)[0].tolist()
    random = torch.rand(1, 1000)
    same = centre_threshold(torch.stack([1 - random, random]), 0.5)
    torch.testing.assert_close(same[1], random)
    for threshold in (0.0, 1.0):
        moved = centre_threshold(torch.stack([1 - random, random]), threshold)
        assert ((moved >= 0) & (moved <= 1)).all()
