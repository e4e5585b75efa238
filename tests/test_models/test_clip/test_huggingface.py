# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Names of Hugging Face by hand, and an attention that stays the same."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mmfmwsss.models.clip.huggingface import (
    convert_huggingface,
    is_huggingface,
    uses_quick_gelu,
)
from mmfmwsss.utils import UserInputError

TOKENS = 'text_model.embeddings.token_embedding.weight'


def numbered(*names: str) -> dict[str, torch.Tensor]:
    return {
        name: torch.full((2, 3), float(number))
        for number, name in enumerate(names)
    }


@pytest.mark.parametrize(
    ('theirs', 'ours'),
    [
        ('logit_scale', 'logit_scale'),
        (TOKENS, 'token_embedding.weight'),
        ('text_model.final_layer_norm.bias', 'ln_final.bias'),
        (
            'text_model.encoder.layers.11.mlp.fc1.weight',
            'transformer.resblocks.11.mlp.c_fc.weight',
        ),
        (
            'vision_model.encoder.layers.0.self_attn.out_proj.bias',
            'visual.transformer.resblocks.0.attn.out_proj.bias',
        ),
        (
            'vision_model.encoder.layers.3.layer_norm2.weight',
            'visual.transformer.resblocks.3.ln_2.weight',
        ),
        ('vision_model.pre_layrnorm.weight', 'visual.ln_pre.weight'),
        ('vision_model.embeddings.class_embedding', 'visual.class_embedding'),
    ],
)
def test_names_by_hand(theirs: str, ours: str) -> None:
    state = numbered('other', theirs)
    found = convert_huggingface(state)
    assert found.keys() == {'other', ours}
    assert torch.equal(found[ours], state[theirs])


def test_projections_are_turned_and_positions_left_out() -> None:
    weight = torch.arange(6.0).view(2, 3)
    found = convert_huggingface(
        {
            'text_projection.weight': weight,
            'visual_projection.weight': weight,
            'text_model.embeddings.position_ids': torch.arange(77),
        }
    )
    assert found.keys() == {'text_projection', 'visual.proj'}
    for value in found.values():
        assert torch.equal(value, weight.T) and value.is_contiguous()


def test_attention_of_joined_weights_is_that_of_three_projections() -> None:
    """PyTorch's attention reads them joined; here they are applied apart."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4, 1, 6, generator=generator)  # four tokens, one image
    layer = 'text_model.encoder.layers.5.self_attn'
    state = {
        f'{layer}.{part}_proj.{kind}': torch.randn(shape, generator=generator)
        for part in ('k', 'v', 'q', 'out')
        for kind, shape in (('weight', (6, 6)), ('bias', (6,)))
    }

    def project(part: str, value: torch.Tensor) -> torch.Tensor:
        weight, bias = (
            state[f'{layer}.{part}_proj.{kind}'] for kind in ('weight', 'bias')
        )
        return F.linear(value, weight, bias)

    query, key, value = (
        project(part, x[:, 0]).view(4, 2, 3).transpose(0, 1) for part in 'qkv'
    )
    read = (query @ key.mT / 3**0.5).softmax(-1) @ value
    expected = project('out', read.transpose(0, 1).reshape(4, 6))
    # Load what the conversion makes into PyTorch's module
    prefix = 'transformer.resblocks.5.attn.'
    attention = nn.MultiheadAttention(6, 2)
    attention.load_state_dict(
        {
            name.removeprefix(prefix): found
            for name, found in convert_huggingface(state).items()
        }
    )
    torch.testing.assert_close(attention(x, x, x)[0][:, 0], expected)


def test_the_kind_is_told_by_a_name() -> None:
    assert is_huggingface(numbered('a', TOKENS))
    assert not is_huggingface(numbered('token_embedding.weight'))


@pytest.mark.parametrize(
    ('text', 'vision', 'quick'),
    [
        ({'hidden_act': 'gelu'}, {'hidden_act': 'gelu'}, False),
        ({'hidden_act': 'quick_gelu'}, {'hidden_act': 'quick_gelu'}, True),
        ({}, {}, True),
        ({}, {'hidden_act': 'quick_gelu'}, True),
        ({'hidden_act': 'gelu'}, {}, None),
        ({'hidden_act': 'relu'}, {'hidden_act': 'relu'}, None),
    ],
)
def test_activation(
    text: dict[str, str],
    vision: dict[str, str],
    quick: bool | None,
    tmp_path: Path,
) -> None:
    content = dict(text_config=text, vision_config=vision)
    (tmp_path / 'config.json').write_text(json.dumps(content))
    file = tmp_path / 'model.safetensors'
    if quick is not None:
        assert uses_quick_gelu(file) is quick
        return
    with pytest.raises(UserInputError, match='hidden_act'):
        uses_quick_gelu(file)


@pytest.mark.parametrize(
    'content',
    ['{', '[]', '{"text_config": {}}', '{"text_config": 3}'],
    ids=['cut', 'list', 'half', 'number'],
)
def test_configs_of_something_else(content: Any, tmp_path: Path) -> None:
    file = tmp_path / 'model.safetensors'
    assert uses_quick_gelu(file) is None
    (tmp_path / 'config.json').write_text(content)
    with pytest.raises(UserInputError, match='config of a Hugging Face'):
        uses_quick_gelu(file)
