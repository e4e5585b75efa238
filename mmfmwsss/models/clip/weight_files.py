# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Read CLIP weights of any format under open_clip's names."""

import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ...utils import UserInputError
from .huggingface import convert_huggingface, is_huggingface, uses_quick_gelu
from .known_files import check_known_file

__all__ = ['WEIGHTS_REMEDY', 'CLIPWeights', 'read_clip_state']

# OpenAI's archives carry these beside the weights; no other format does.
_OPENAI_EXTRAS = ('input_resolution', 'context_length', 'vocab_size')
WEIGHTS_REMEDY = (
    'Set `clip.checkpoint`, or $CLIP_VIT_B16 with the configs of this '
    "project, to OpenAI's ViT-B-16.pt, or to a file of "
    'open_clip or of a Hugging Face CLIPModel (.pt, .safetensors); '
    "`open_clip.download_pretrained_from_url`, or `checkpoint='openai'` on a "
    'machine with internet access, fetches it.'
)


@dataclass
class CLIPWeights:
    """What a file of CLIP weights holds.

    Attributes:
        state (dict[str, Tensor]): State dict of an ``open_clip.CLIP``, fp32.
        quick_gelu (bool | None): Whether the model uses QuickGELU, as all of
            OpenAI's do. None: the file does not tell.
    """

    state: dict[str, Tensor]
    quick_gelu: bool | None


def read_clip_state(path: Path) -> CLIPWeights:
    """Read the weights of a CLIP file without running any code in it.

    A Hugging Face file tells the activation by the ``config.json`` beside it.

    Args:
        path (Path): A safetensors file or a state dict saved by PyTorch, with
            the names of open_clip (and OpenAI) or of Hugging Face's
            ``CLIPModel``; or the TorchScript archive that OpenAI published.

    Returns:
        CLIPWeights: Weights and activation.

    Raises:
        UserInputError: If the file holds no CLIP, or has the name of a
            published file but another checksum.
    """
    check_known_file(path)
    try:
        state = _read_any(path)
    except (
        RuntimeError,
        pickle.UnpicklingError,
        ValueError,
        OSError,
        EOFError,
        SafetensorError,
        zipfile.BadZipFile,
    ) as error:
        raise UserInputError(
            f'Expected CLIP weights in {path}, but it cannot be read as '
            f'safetensors, a PyTorch state dict or a TorchScript archive '
            f'({(str(error) or type(error).__name__).splitlines()[0][:120]}). '
            f'{WEIGHTS_REMEDY}'
        ) from error
    state = {k.removeprefix('module.'): v for k, v in state.items()}
    quick_gelu = True if any(k in state for k in _OPENAI_EXTRAS) else None
    for name in _OPENAI_EXTRAS:
        state.pop(name, None)
    if is_huggingface(state):
        state = convert_huggingface(state)
        quick_gelu = uses_quick_gelu(path)
    if (
        'visual.conv1.weight' not in state
        or 'token_embedding.weight' not in state
    ):
        found = ', '.join(list(state)[:3]) or 'nothing'
        raise UserInputError(
            f'Expected CLIP weights with `visual.conv1.weight` and '
            f'`token_embedding.weight` in {path}, but got {len(state)} '
            f'entries such as {found}. {WEIGHTS_REMEDY}'
        )
    return CLIPWeights({k: v.float() for k, v in state.items()}, quick_gelu)


def _read_any(path: Path) -> dict[str, Tensor]:
    if path.suffix == '.safetensors':
        return load_file(path)
    loaded: Any
    if _is_torchscript(path):  # OpenAI's files are; weights_only refuses them
        loaded = torch.jit.load(str(path), map_location='cpu').state_dict()
    else:
        loaded = torch.load(path, map_location='cpu', weights_only=True)
    if isinstance(loaded, dict) and 'state_dict' in loaded:
        loaded = loaded['state_dict']
    if not isinstance(loaded, dict):
        raise ValueError(f'it holds a {type(loaded).__name__}')
    return dict(loaded)


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(n.endswith('/constants.pkl') for n in archive.namelist())
