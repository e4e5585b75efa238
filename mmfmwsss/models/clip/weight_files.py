# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Read CLIP weights of any format under open_clip's names."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ...utils import UserInputError, read_weights
from ...utils.checkpoint_files import is_torchscript
from .huggingface import convert_huggingface, is_huggingface, uses_quick_gelu
from .known_files import check_known_file, is_published
from .open_clip_config import open_clip_quick_gelu
from .torchscript import read_torchscript

__all__ = ['WEIGHTS_REMEDY', 'CLIPWeights', 'read_clip_state']

# OpenAI's archives carry these beside the weights; no other format does
_NOT_PERSISTENT = 'attn_mask'  # which an archive keeps all the same
_OPENAI_EXTRAS = ('input_resolution', 'context_length', 'vocab_size')
_OF_EVERY_CLIP = {'visual.conv1.weight', 'token_embedding.weight'}
WEIGHTS_REMEDY = (
    'Set `clip.checkpoint`, or $CLIP_VIT_B16 with the configs of this '
    "project, to OpenAI's ViT-B-16.pt, or to a file of "
    'open_clip or of a Hugging Face CLIPModel (.pt, .safetensors); '
    '`python tools/get_weights.py clip_vit_b16` fetches it.'
)


@dataclass
class CLIPWeights:
    """Hold the weights and the activation read from a CLIP file.

    Attributes:
        state (dict[str, Tensor]): State dict of an ``open_clip.CLIP``, fp32.
        quick_gelu (bool | None): Whether the model uses QuickGELU, as all of
            OpenAI's do. None: the file does not tell.
    """

    state: dict[str, Tensor]
    quick_gelu: bool | None


def read_clip_state(path: Path) -> CLIPWeights:
    """Read the weights of a CLIP file without running any code in it.

    A Hugging Face file tells the activation by the ``config.json`` beside it,
    one of open_clip by its ``open_clip_config.json``. An archive's program is
    run only if its checksum is one that OpenAI published.

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
    # Read, under plain names
    check_known_file(path)
    state = _read_any(path)
    state = {k.removeprefix('module.'): v for k, v in state.items()}
    # Drop what only OpenAI's archives add; all of them use QuickGELU
    quick_gelu = True if any(k in state for k in _OPENAI_EXTRAS) else None
    for name in _OPENAI_EXTRAS:
        state.pop(name, None)
    # Take open_clip's names, and look for the activation
    if is_huggingface(state):
        state = convert_huggingface(state)
        quick_gelu = uses_quick_gelu(path)
    elif quick_gelu is None:
        quick_gelu = open_clip_quick_gelu(path)
    # Check that it is a CLIP
    if not state.keys() >= _OF_EVERY_CLIP:
        found = ', '.join(list(state)[:3]) or 'nothing'
        raise UserInputError(
            f'Expected CLIP weights with `visual.conv1.weight` and '
            f'`token_embedding.weight` in {path}, but got {len(state)} '
            f'entries such as {found}. {WEIGHTS_REMEDY}'
        )
    _check_numbers(state, path)
    return CLIPWeights({k: v.float() for k, v in state.items()}, quick_gelu)


def _read_any(path: Path) -> dict[str, Tensor]:
    if _is_archive(path):
        return _read_archive(path)
    return read_weights(
        path, 'CLIP', wrappers=('state_dict',), remedy=WEIGHTS_REMEDY
    )


def _is_archive(path: Path) -> bool:
    return path.suffix != '.safetensors' and is_torchscript(path)


def _read_archive(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a TorchScript archive."""
    # Trust a program that OpenAI published, and read others as data
    if is_published(path):
        return dict(torch.jit.load(str(path), map_location='cpu').state_dict())
    try:
        state = read_torchscript(path)
    except Exception as error:  # a damaged pickle may raise anything
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserInputError(
            f'Expected CLIP weights in {path}, but it cannot be read as a '
            f'TorchScript archive without running its program '
            f'({reason[:160]}), and it is none that OpenAI published. Save '
            f'the state_dict of the model where you trust the file: '
            f"torch.save(torch.jit.load(FILE).state_dict(), 'clip.pt')."
        ) from error
    return {k: v for k, v in state.items() if not k.endswith(_NOT_PERSISTENT)}


def _check_numbers(state: dict[str, Tensor], path: Path) -> None:
    """Refuse weights that are no numbers."""
    for name, value in state.items():
        if not torch.isfinite(value).all():
            raise UserInputError(
                f'Expected numbers in {path}, but {name} has a NaN or an '
                f'infinity. The file is damaged. {WEIGHTS_REMEDY}'
            )
