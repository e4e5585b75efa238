# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""CLIP weights in, an open_clip model out, whatever the file format."""

import pickle
from pathlib import Path
from typing import Any

import open_clip
import torch
from mmengine.logging import print_log
from open_clip import CLIP
from open_clip.transformer import VisionTransformer
from safetensors.torch import load_file
from torch import Tensor

from ...utils import UserInputError, resolve_path

__all__ = ['build_clip', 'read_clip_state']

# OpenAI's archives carry these beside the weights; no other format does.
_OPENAI_EXTRAS = ('input_resolution', 'context_length', 'vocab_size')
_WEIGHTS_REMEDY = (
    "Set `clip.checkpoint` to OpenAI's ViT-B-16.pt or to an open_clip file "
    '(.pt, .safetensors); '
    "`open_clip.download_pretrained_from_url`, or `checkpoint='openai'` on a "
    'machine with internet access, fetches it.'
)


def read_clip_state(path: Path) -> tuple[dict[str, Tensor], bool]:
    """Read the weights of a CLIP file without running any code in it.

    Args:
        path (Path): A safetensors file, a state dict saved by PyTorch, or
            the TorchScript archive that OpenAI published.

    Returns:
        tuple[dict[str, Tensor], bool]: The weights in fp32, and whether they
        are OpenAI's, which use QuickGELU.

    Raises:
        UserInputError: If the file holds no CLIP.
    """
    try:
        state = _read_any(path)
    except (
        RuntimeError,
        pickle.UnpicklingError,
        ValueError,
        OSError,
    ) as error:
        raise UserInputError(
            f'Expected CLIP weights in {path}, but it cannot be read as '
            f'safetensors, a PyTorch state dict or a TorchScript archive '
            f'({str(error).splitlines()[0][:120]}). {_WEIGHTS_REMEDY}'
        ) from error
    state = {k.removeprefix('module.'): v for k, v in state.items()}
    is_openai = any(name in state for name in _OPENAI_EXTRAS)
    for name in _OPENAI_EXTRAS:
        state.pop(name, None)
    if (
        'visual.conv1.weight' not in state
        or 'token_embedding.weight' not in state
    ):
        found = ', '.join(list(state)[:3]) or 'nothing'
        raise UserInputError(
            f'Expected CLIP weights with `visual.conv1.weight` and '
            f'`token_embedding.weight` in {path}, but got {len(state)} '
            f'entries such as {found}. {_WEIGHTS_REMEDY}'
        )
    return {k: v.float() for k, v in state.items()}, is_openai


def _read_any(path: Path) -> dict[str, Tensor]:
    if path.suffix == '.safetensors':
        return load_file(path)
    try:
        loaded: Any = torch.load(path, map_location='cpu', weights_only=True)
    except (RuntimeError, pickle.UnpicklingError):
        # weights_only refuses TorchScript archives, which OpenAI's files are.
        loaded = torch.jit.load(str(path), map_location='cpu').state_dict()
    if isinstance(loaded, dict) and 'state_dict' in loaded:
        loaded = loaded['state_dict']
    if not isinstance(loaded, dict):
        raise ValueError(f'it holds a {type(loaded).__name__}')
    return dict(loaded)


def build_clip(
    arch: str | dict[str, Any], checkpoint: str | None
) -> tuple[CLIP, str]:
    """Build an open_clip model and load its weights.

    Args:
        arch (str | dict): Name of an open_clip model such as ``'ViT-B-16'``,
            or the arguments of ``open_clip.CLIP``.
        checkpoint (str, optional): A local file, ``'mmfmwsss://NAME'`` for
            weights that come with the package, or a tag that open_clip knows
            for ``arch`` (this one needs internet access). None leaves the
            weights random.

    Returns:
        tuple[CLIP, str]: The model in eval mode, frozen, and a line that says
        what it is.

    Raises:
        UserInputError: If the name, the file or its contents do not fit.
    """
    if isinstance(arch, str) and arch not in open_clip.list_models():
        raise UserInputError(
            f'Expected `clip.arch` to be a name in open_clip.list_models() '
            f"such as 'ViT-B-16', or a dict, but got {arch!r}."
        )
    is_tag = isinstance(
        arch, str
    ) and checkpoint in open_clip.list_pretrained_tags_by_model(arch)
    if isinstance(arch, str) and is_tag:
        model = open_clip.create_model(arch, pretrained=checkpoint)
    else:
        model = _build_from_file(arch, checkpoint)
    if not isinstance(model, CLIP) or not isinstance(
        model.visual, VisionTransformer
    ):
        raise UserInputError(
            f'Expected a CLIP with a ViT image tower and the standard text '
            f'tower, but {arch!r} is a {type(model).__name__} with '
            f'{type(model.visual).__name__}. ViT-B-16, ViT-L-14 and the like '
            f'work.'
        )
    return model.eval().requires_grad_(False), f'{arch} from {checkpoint}'


def _build_from_file(
    arch: str | dict[str, Any], checkpoint: str | None
) -> CLIP:
    state, quick_gelu = None, False
    if checkpoint is not None:
        path = resolve_path(checkpoint, _WEIGHTS_REMEDY)
        state, quick_gelu = read_clip_state(path)
    if isinstance(arch, dict):
        model = CLIP(**arch)
    else:
        model = open_clip.create_model(
            arch, pretrained=None, force_quick_gelu=quick_gelu
        )
    if state is None:
        print_log(
            'CLIP has random weights: no checkpoint was given.', 'current'
        )
        return model
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise UserInputError(
            f'Expected the weights of {arch} in {checkpoint}, but they are '
            f'of another model: {str(error).splitlines()[1].strip()[:200]} '
            f'Set `clip.arch` to the model of the file.'
        ) from error
    return model
