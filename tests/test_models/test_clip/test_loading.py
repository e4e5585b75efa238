# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""CLIP weights in every format, and files that are none."""

import json
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from open_clip import CLIP
from safetensors.torch import load_file, save_file
from torch import Tensor

from mmfmwsss.models.clip import FrozenCLIP, build_clip, read_clip_state
from mmfmwsss.models.clip.known_files import KNOWN_FILES
from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop.tiny_models import (
    OpenAIArchive,
    random_clip,
    random_clip_arch,
)

FORMATS = [
    'safetensors',
    'state_dict',
    'training',
    'archive',
    'archive_state',
    'huggingface',
    'huggingface_bin',
]


@pytest.fixture(scope='module')
def clip() -> FrozenCLIP:
    return random_clip()


def to_huggingface(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights under the names of ``transformers.CLIPModel``, old buffers too.

    Written tower by tower, from the names to the conversion's input.
    """
    new = {
        'logit_scale': state['logit_scale'],
        'text_projection.weight': state['text_projection'].T,
        'visual_projection.weight': state['visual.proj'].T,
        'text_model.embeddings.position_ids': torch.arange(77)[None],
        'vision_model.embeddings.position_ids': torch.arange(17)[None],
    }
    for tower, own, table, theirs in (
        ('text_model', '', 'token_embedding', 'token_embedding'),
        ('vision_model', 'visual.', 'conv1', 'patch_embedding'),
    ):
        embeddings, blocks = (
            f'{tower}.embeddings',
            f'{own}transformer.resblocks',
        )
        new[f'{embeddings}.{theirs}.weight'] = state[f'{own}{table}.weight']
        new[f'{embeddings}.position_embedding.weight'] = state[
            f'{own}positional_embedding'
        ]
        count = len(
            {k for k in state if k.startswith(blocks) and 'c_fc.b' in k}
        )
        for i in range(count):
            old, layer = f'{blocks}.{i}', f'{tower}.encoder.layers.{i}'
            for kind in ('weight', 'bias'):
                parts = state[f'{old}.attn.in_proj_{kind}'].chunk(3)
                for part, value in zip('qkv', parts, strict=True):
                    new[f'{layer}.self_attn.{part}_proj.{kind}'] = value
                for name, ours in (
                    ('self_attn.out_proj', 'attn.out_proj'),
                    ('layer_norm1', 'ln_1'),
                    ('layer_norm2', 'ln_2'),
                    ('mlp.fc1', 'mlp.c_fc'),
                    ('mlp.fc2', 'mlp.c_proj'),
                ):
                    new[f'{layer}.{name}.{kind}'] = state[
                        f'{old}.{ours}.{kind}'
                    ]
    for kind in ('weight', 'bias'):
        for theirs, ours in (
            ('text_model.final_layer_norm', 'ln_final'),
            ('vision_model.pre_layrnorm', 'visual.ln_pre'),
            ('vision_model.post_layernorm', 'visual.ln_post'),
        ):
            new[f'{theirs}.{kind}'] = state[f'{ours}.{kind}']
    embedding = state['visual.class_embedding']
    new['vision_model.embeddings.class_embedding'] = embedding
    return {k: v.contiguous().clone() for k, v in new.items()}


def write(model: CLIP, kind: str, folder: Path) -> Path:
    state = {k: v.clone() for k, v in model.state_dict().items()}
    if kind in ('safetensors', 'huggingface'):
        path = folder / f'{kind}.safetensors'
        save_file(to_huggingface(state) if 'hug' in kind else state, path)
        return path
    path = folder / f'{kind}.pt'
    if kind == 'state_dict':
        torch.save(state, path)
    elif kind == 'huggingface_bin':
        torch.save(to_huggingface(state), path)
    elif kind == 'training':
        torch.save(
            {'state_dict': {f'module.{k}': v for k, v in state.items()}}, path
        )
    else:
        side = model.visual.image_size[0]
        archive = OpenAIArchive(model, side)
        if kind == 'archive_state':
            torch.save(archive.state_dict(), path)
        else:
            torch.jit.trace(archive, torch.ones(1)).save(str(path))
    return path


def same_features(one: CLIP, other: CLIP) -> None:
    side = one.visual.image_size[0]
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(1, 3, side, side, generator=generator)
    ids = open_clip.tokenize(['a photo of a cat.'])
    with torch.no_grad():
        assert torch.equal(
            one.encode_image(images), other.encode_image(images)
        )
        assert torch.equal(one.encode_text(ids), other.encode_text(ids))
    assert torch.equal(one.logit_scale, other.logit_scale)


@pytest.mark.parametrize('kind', FORMATS)
def test_every_format_gives_the_same_features(
    clip: FrozenCLIP, kind: str, tmp_path: Path
) -> None:
    path = write(clip.model, kind, tmp_path)
    weights = read_clip_state(path)
    assert weights.quick_gelu == (True if 'archive' in kind else None)
    assert set(weights.state) == set(clip.model.state_dict())
    loaded, _ = build_clip(random_clip_arch(), str(path))
    same_features(loaded, clip.model)


@pytest.mark.parametrize(
    ('width', 'patch', 'layers', 'text_width'),
    [(64, 4, 1, 16), (48, 16, 12, 32), (32, 8, 2, 64)],
)
def test_sizes(
    width: int, patch: int, layers: int, text_width: int, tmp_path: Path
) -> None:
    arch = random_clip_arch(layers)
    arch['vision_cfg'].update(width=width, patch_size=patch)
    arch['text_cfg'].update(width=text_width, layers=layers + 1)
    model = CLIP(**arch).eval()
    for kind in ('archive', 'huggingface'):
        loaded, _ = build_clip(arch, str(write(model, kind, tmp_path)))
        same_features(loaded, model)


@pytest.mark.slow
def test_full_size_weights(tmp_path: Path) -> None:
    torch.manual_seed(0)
    arch = 'ViT-B-16-quickgelu'
    model = open_clip.create_model(arch, pretrained=None).eval()
    for kind in ('archive', 'safetensors', 'huggingface'):
        path = write(model, kind, tmp_path)
        loaded, _ = build_clip(arch, str(path))
        same_features(loaded, model)
        path.unlink()


def activation(model: CLIP) -> str:
    towers = (model.visual.transformer, model.transformer)
    (name,) = {type(t.resblocks[0].mlp.gelu).__name__ for t in towers}
    return name


def test_openai_weights_get_quick_gelu(tmp_path: Path) -> None:
    model = open_clip.create_model('ViT-B-32-quickgelu', pretrained=None)
    state = {k: v.half() for k, v in model.state_dict().items()}
    state['input_resolution'] = torch.tensor(224)
    path = tmp_path / 'clip.pt'
    torch.save(state, path)
    loaded, _ = build_clip('ViT-B-32', str(path))
    assert activation(loaded) == 'QuickGELU'
    assert loaded.visual.conv1.weight.dtype == torch.float32


@pytest.fixture
def small_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two small models that open_clip knows by name, as it has ViT-B-16."""
    configs = open_clip.factory._MODEL_CONFIGS
    for name, quick in (('small', False), ('small-quickgelu', True)):
        config = dict(random_clip_arch(), quick_gelu=quick)
        monkeypatch.setitem(configs, name, config)


@pytest.mark.usefixtures('small_names')
@pytest.mark.parametrize(
    ('config', 'arch', 'expected'),
    [
        ({}, 'small', 'QuickGELU'),  # the default of transformers
        ({'hidden_act': 'quick_gelu'}, 'small', 'QuickGELU'),
        ({'hidden_act': 'quick_gelu'}, 'small-quickgelu', 'QuickGELU'),
        ({'hidden_act': 'gelu'}, 'small', 'GELU'),
        (None, 'small', 'GELU'),  # no config.json: the name decides
        (None, 'small-quickgelu', 'QuickGELU'),
    ],
)
def test_activation_of_huggingface_weights(
    clip: FrozenCLIP,
    config: dict[str, str] | None,
    arch: str,
    expected: str,
    tmp_path: Path,
) -> None:
    path = write(clip.model, 'huggingface', tmp_path)
    if config is not None:
        content = {'text_config': config, 'vision_config': config}
        (tmp_path / 'config.json').write_text(json.dumps(content))
    loaded, _ = build_clip(arch, str(path))
    assert activation(loaded) == expected


@pytest.mark.usefixtures('small_names')
@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (
            {'text_config': {'hidden_act': 'gelu'}, 'vision_config': {}},
            r"in both parts of .*config.json, but got \['gelu', 'quick_gelu'",
        ),
        ({'model_type': 'bert'}, "could not read it .KeyError: 'text_config'"),
        (
            {
                'text_config': {'hidden_act': 'gelu'},
                'vision_config': {'hidden_act': 'gelu'},
            },
            "says GELU. Set `clip.arch` to 'small'",
        ),
    ],
)
def test_config_that_does_not_fit(
    clip: FrozenCLIP, content: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = write(clip.model, 'huggingface', tmp_path)
    (tmp_path / 'config.json').write_text(json.dumps(content))
    with pytest.raises(UserInputError, match=message):
        build_clip('small-quickgelu', str(path))


def test_published_names_must_have_the_published_content(
    clip: FrozenCLIP, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(clip.model, 'state_dict', tmp_path)
    own = path.rename(tmp_path / 'ViT-B-16.pt')
    with pytest.raises(UserInputError, match='5806e77cd80f8b59.*rename it'):
        build_clip(random_clip_arch(), str(own))
    renamed = own.rename(tmp_path / 'my_clip.pt')
    build_clip(random_clip_arch(), str(renamed))
    monkeypatch.setattr(
        'mmfmwsss.models.clip.known_files.sha256_of',
        lambda path: KNOWN_FILES['ViT-B-16.pt'],
    )
    build_clip(random_clip_arch(), str(renamed.rename(own)))


def test_files_run_no_code(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path(tmp_path / 'ran').touch, ())

    path = tmp_path / 'trap.pt'
    torch.save({'visual.conv1.weight': Trap()}, path)
    with pytest.raises(UserInputError, match='cannot be read as'):
        read_clip_state(path)
    assert not (tmp_path / 'ran').exists()


def test_errors(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match='list_models'):
        build_clip('ViT-Z-99', None)
    with pytest.raises(UserInputError, match='not there.*ViT-B-16.pt'):
        build_clip(random_clip_arch(), str(tmp_path / 'none.pt'))
    for name in ('broken.pt', 'broken.safetensors'):
        for content in (b'<html>404</html>', b''):
            broken = tmp_path / name
            broken.write_bytes(content)
            with pytest.raises(UserInputError, match='cannot be read as'):
                build_clip(random_clip_arch(), str(broken))
    other = tmp_path / 'other.safetensors'
    save_file({'fc.weight': torch.zeros(2)}, other)
    with pytest.raises(UserInputError, match='1 entries such as fc.weight'):
        build_clip(random_clip_arch(), str(other))
    small = random_clip(layers=2)
    path = write(small.model, 'state_dict', tmp_path)
    with pytest.raises(UserInputError, match='of another model'):
        build_clip(random_clip_arch(layers=3), str(path))
    with pytest.raises(UserInputError, match='ViT image tower'):
        build_clip('RN50', None)


def test_half_of_a_huggingface_model_is_refused(
    clip: FrozenCLIP, tmp_path: Path
) -> None:
    path = write(clip.model, 'huggingface', tmp_path)
    state = {k: v for k, v in load_file(path).items() if 'text_' in k}
    save_file(state, path)
    with pytest.raises(UserInputError, match='`visual.conv1.weight`'):
        build_clip(random_clip_arch(), str(path))
