# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Weights of Hugging Face's ``CLIPModel`` under open_clip's names."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ...utils import UserInputError

__all__ = ['convert_huggingface', 'is_huggingface', 'uses_quick_gelu']

_MARK = 'text_model.embeddings.token_embedding.weight'
_WHOLE_NAMES = {
    'logit_scale': 'logit_scale',
    _MARK: 'token_embedding.weight',
    'text_model.embeddings.position_embedding.weight': 'positional_embedding',
    'text_projection.weight': 'text_projection',
    'vision_model.embeddings.class_embedding': 'visual.class_embedding',
    'vision_model.embeddings.patch_embedding.weight': 'visual.conv1.weight',
    'vision_model.embeddings.position_embedding.weight': (
        'visual.positional_embedding'
    ),
    'visual_projection.weight': 'visual.proj',
}
_TRANSPOSED = ('text_projection.weight', 'visual_projection.weight')
_PARTS = {
    'text_model.encoder.layers': 'transformer.resblocks',
    'text_model.final_layer_norm': 'ln_final',
    'vision_model.encoder.layers': 'visual.transformer.resblocks',
    'vision_model.pre_layrnorm': 'visual.ln_pre',  # as transformers spells it
    'vision_model.post_layernorm': 'visual.ln_post',
    'self_attn.out_proj': 'attn.out_proj',
    'layer_norm1': 'ln_1',
    'layer_norm2': 'ln_2',
    'mlp.fc1': 'mlp.c_fc',
    'mlp.fc2': 'mlp.c_proj',
}
_PART = re.compile('|'.join(re.escape(name) for name in _PARTS))
_QUERY = re.compile(r'(.*)\.self_attn\.q_proj\.(weight|bias)')


def is_huggingface(state: Mapping[str, Tensor]) -> bool:
    """Tell if the keys are those of ``transformers.CLIPModel``."""
    return _MARK in state


def convert_huggingface(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the weights, join queries, keys and values.

    Args:
        state (Mapping[str, Tensor]): State dict of a ``CLIPModel``. Buffers
            of positions, which older versions wrote, are left out.

    Returns:
        dict[str, Tensor]: State dict of an ``open_clip.CLIP``.
    """
    converted = {}
    for name, value in state.items():
        # Skip buffers, and the keys and values that a query takes along
        if name.endswith('.position_ids') or re.search(
            r'\.self_attn\.[kv]_proj\.', name
        ):
            continue
        query = _QUERY.fullmatch(name)
        # Rename what stands outside the layers
        if name in _WHOLE_NAMES:
            joined = value.T.contiguous() if name in _TRANSPOSED else value
            converted[_WHOLE_NAMES[name]] = joined
        elif query is not None:
            # Stack query, key and value, as open_clip keeps them
            layer, kind = query.groups()
            parts = [
                state[f'{layer}.self_attn.{part}_proj.{kind}']
                for part in 'qkv'
            ]
            target = f'{_rename(layer)}.attn.in_proj_{kind}'
            converted[target] = torch.cat(parts)
        else:
            converted[_rename(name)] = value
    return converted


def _rename(name: str) -> str:
    return _PART.sub(lambda match: _PARTS[match.group()], name)


def uses_quick_gelu(path: Path) -> bool | None:
    """Look for the activation in the ``config.json`` beside the weights.

    The weights do not tell it: OpenAI's models use QuickGELU, LAION's GELU.

    Args:
        path (Path): A file with the weights of a ``CLIPModel``.

    Returns:
        bool | None: Whether it is QuickGELU; None if there is no such file.

    Raises:
        UserInputError: If the file is not one of a CLIP with either.
    """
    config = path.with_name('config.json')
    if not config.is_file():
        return None
    # Read the activation of both towers
    try:
        content = json.loads(config.read_text(encoding='utf-8'))
        # transformers leaves out what has its default value
        found = {
            content[part].get('hidden_act', 'quick_gelu')
            for part in ('text_config', 'vision_config')
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserInputError(
            f'Expected the config of a Hugging Face CLIPModel in {config}, '
            f'beside {path.name}, but could not read it '
            f'({type(error).__name__}: {error}). Replace it by the one that '
            f'came with the weights, or delete it.'
        ) from error
    # Refuse towers that differ, or that open_clip cannot build
    if len(found) > 1 or not found <= {'quick_gelu', 'gelu'}:
        raise UserInputError(
            f"Expected `hidden_act` to be 'quick_gelu' or 'gelu' in both "
            f'parts of {config}, but got {sorted(map(str, found))}. Use a '
            f'CLIP that open_clip knows, such as ViT-B-16.'
        )
    return found == {'quick_gelu'}
