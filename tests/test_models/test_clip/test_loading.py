# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""CLIP weights in every format, and files that are none."""

from pathlib import Path

import open_clip
import pytest
import torch
from safetensors.torch import save_file

from mmfmwsss.models.clip import FrozenCLIP, build_clip, read_clip_state
from mmfmwsss.testing.tiny_models import (
    OpenAIArchive,
    random_clip,
    random_clip_arch,
)
from mmfmwsss.utils import UserInputError


@pytest.fixture(scope='module')
def clip() -> FrozenCLIP:
    return random_clip()


def write(clip: FrozenCLIP, kind: str, folder: Path) -> Path:
    state = {k: v.clone() for k, v in clip.model.state_dict().items()}
    path = (
        folder
        / f'clip_{kind}.{dict(safetensors="safetensors").get(kind, "pt")}'
    )
    if kind == 'safetensors':
        save_file(state, path)
    elif kind == 'state_dict':
        torch.save(state, path)
    elif kind == 'training':
        torch.save(
            {'state_dict': {f'module.{k}': v for k, v in state.items()}}, path
        )
    else:
        model = OpenAIArchive(clip.model, 32)
        torch.jit.trace(model, torch.ones(1)).save(str(path))
    return path


@pytest.mark.parametrize(
    'kind', ['safetensors', 'state_dict', 'training', 'archive']
)
def test_every_format_gives_the_same_features(
    clip: FrozenCLIP, kind: str, tmp_path: Path
) -> None:
    path = write(clip, kind, tmp_path)
    state, is_openai = read_clip_state(path)
    assert is_openai == (kind == 'archive')
    assert set(state) == set(clip.model.state_dict())
    loaded, _ = build_clip(random_clip_arch(), str(path))
    images = torch.randn(1, 3, 32, 32)
    ours = loaded.encode_image(images)
    torch.testing.assert_close(ours, clip.model.encode_image(images))


def test_openai_weights_get_quick_gelu(tmp_path: Path) -> None:
    model = open_clip.create_model('ViT-B-32-quickgelu', pretrained=None)
    state = {k: v.half() for k, v in model.state_dict().items()}
    state['input_resolution'] = torch.tensor(224)
    path = tmp_path / 'ViT-B-32.pt'
    torch.save(state, path)
    loaded, _ = build_clip('ViT-B-32', str(path))
    gelu = loaded.visual.transformer.resblocks[0].mlp.gelu
    assert type(gelu).__name__ == 'QuickGELU'
    assert loaded.visual.conv1.weight.dtype == torch.float32


def test_errors(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match='list_models'):
        build_clip('ViT-Z-99', None)
    with pytest.raises(UserInputError, match='not there.*ViT-B-16.pt'):
        build_clip(random_clip_arch(), str(tmp_path / 'none.pt'))
    broken = tmp_path / 'broken.pt'
    broken.write_bytes(b'<html>404</html>')
    with pytest.raises(UserInputError, match='cannot be read as'):
        build_clip(random_clip_arch(), str(broken))
    other = tmp_path / 'other.safetensors'
    save_file({'fc.weight': torch.zeros(2)}, other)
    with pytest.raises(UserInputError, match='1 entries such as fc.weight'):
        build_clip(random_clip_arch(), str(other))
    small = random_clip(layers=2)
    path = write(small, 'state_dict', tmp_path)
    with pytest.raises(UserInputError, match='of another model'):
        build_clip(random_clip_arch(layers=3), str(path))
    with pytest.raises(UserInputError, match='ViT image tower'):
        build_clip('RN50', None)
