# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A missing, damaged or wrong file of weights is refused before training."""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import MMLogger
from mmseg.registry import MODELS
from torch import nn

from mmfmwsss.apis import check_pretrained
from mmfmwsss.utils import UserInputError

REMEDY = 'Put it there.'


def resnet(checkpoint: Path | str, depth: int = 18) -> nn.Module:
    backbone = MODELS.build(
        dict(
            type='ResNetV1c',
            depth=depth,
            base_channels=8,
            stem_channels=8,
            init_cfg=ConfigDict(type='Pretrained', checkpoint=str(checkpoint)),
        )
    )
    return nn.ModuleDict({'backbone': backbone})


def save(path: Path, state: Any) -> Path:
    torch.save(state, path)
    return path


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match=r'none\.pth.*Put it there'):
        check_pretrained(resnet(tmp_path / 'none.pth'), REMEDY)


def test_damaged(tmp_path: Path) -> None:
    path = tmp_path / 'half.pth'
    path.write_bytes(b'\x80\x02 not weights')
    with pytest.raises(UserInputError, match='cannot be read'):
        check_pretrained(resnet(path), REMEDY)


@pytest.mark.parametrize('wrap', ['plain', 'state_dict', 'model', 'prefix'])
def test_the_right_file(wrap: str, tmp_path: Path) -> None:
    path = tmp_path / 'r18.pth'
    model = resnet(path)
    state = model['backbone'].state_dict()
    if wrap == 'prefix':
        state = {f'module.backbone.{k}': v for k, v in state.items()}
    elif wrap != 'plain':
        state = {wrap: state, 'meta': dict(epoch=1)}
    save(path, state)
    check_pretrained(model, REMEDY)


@pytest.mark.parametrize('wrong', ['another depth', 'another width'])
def test_another_network(wrong: str, tmp_path: Path) -> None:
    path = tmp_path / 'weights.pth'
    model = resnet(path)
    state: Any = resnet(path, depth=50)['backbone'].state_dict()
    if wrong == 'another width':
        state = model['backbone'].state_dict()
        state = {k: torch.cat([v, v]) for k, v in state.items() if v.ndim}
    save(path, state)
    with pytest.raises(UserInputError, match=r'weights of ResNetV1c.*has'):
        check_pretrained(model, REMEDY)


def test_no_weights_at_all(tmp_path: Path) -> None:
    path = save(tmp_path / 'weights.pth', [1])
    with pytest.raises(UserInputError, match='ResNetV1c weights.*a list'):
        check_pretrained(resnet(path), REMEDY)


def test_says_what_starts_at_random(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    MMLogger.get_instance('test_pretrained')
    path = tmp_path / 'r18.pth'
    model = resnet(path)
    state = model['backbone'].state_dict()
    counts = [k for k in state if k.endswith('num_batches_tracked')]
    for key in [*counts, 'stem.0.weight']:  # old files have no counts
        del state[key]
    save(path, state)
    check_pretrained(model, REMEDY)
    said = capsys.readouterr()
    text = said.out + said.err
    assert 'lacks 1 of' in text
    assert 'stem.0.weight' in text


def test_names_that_a_library_fetches_are_its_own_affair() -> None:
    check_pretrained(resnet('torchvision://resnet18'), REMEDY)


def test_swin_may_be_of_another_window(tmp_path: Path) -> None:
    """mmseg resizes its table of relative positions."""

    def swin(window: int) -> nn.Module:
        path = str(tmp_path / 'swin.pth')
        return MODELS.build(
            dict(
                type='SwinTransformer',
                embed_dims=8,
                depths=[1] * 4,
                num_heads=[1, 2, 4, 8],
                window_size=window,
                init_cfg=dict(type='Pretrained', checkpoint=path),
            )
        )

    small = swin(4)
    state = {
        key: value
        for key, value in small.state_dict().items()
        if not key.endswith('relative_position_index')
    }
    save(tmp_path / 'swin.pth', {'state_dict': state})
    large = swin(7)
    check_pretrained(large, REMEDY)
    large.init_weights()
    torch.testing.assert_close(
        large.patch_embed.projection.weight,
        small.patch_embed.projection.weight,
    )
