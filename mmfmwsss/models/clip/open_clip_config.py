# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The activation of open_clip's own files, which their weights do not tell."""

import json
from pathlib import Path

from ...utils import UserInputError
from .known_files import KNOWN_FILES

__all__ = ['open_clip_quick_gelu']

_CONFIG = 'open_clip_config.json'
# The names on the Hugging Face hub: GELU and QuickGELU alike
_HUB_NAMES = ('open_clip_pytorch_model', 'open_clip_model')


def open_clip_quick_gelu(path: Path) -> bool | None:
    """Find whether the model of a file uses QuickGELU.

    Args:
        path (Path): Weights under open_clip's names.

    Returns:
        bool | None: As the ``open_clip_config.json`` beside it says, or the
        name under which it was published; None if neither is there.

    Raises:
        UserInputError: If the config cannot be read, or is missing beside a
            file with the name that all models have on the hub.
    """
    # Ask the config beside the file, then its published name
    config = path.with_name(_CONFIG)
    if config.is_file():
        return _read(config, path)
    if path.name in KNOWN_FILES:
        return 'quickgelu' in path.name or path.name.startswith('ViT-')
    # Refuse the name that models of both kinds share
    if path.stem in _HUB_NAMES:
        raise UserInputError(
            f'Expected {_CONFIG} beside {path}, for the weights do not tell '
            f'whether their model uses GELU or QuickGELU, but it is not '
            f'there. Fetch it from where the weights are from. If you know '
            f'the activation, rename the file and name it by `clip.arch`: '
            f"'ViT-B-16-quickgelu' or 'ViT-B-16'."
        )
    return None


def _read(config: Path, path: Path) -> bool:
    try:
        # Read the flag, which is left out where it is False
        content = json.loads(config.read_text(encoding='utf-8'))
        found = content['model_cfg'].get('quick_gelu', False)
        if not isinstance(found, bool):
            raise TypeError(f'quick_gelu is {found!r}')
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise UserInputError(
            f"Expected the config of open_clip, with 'model_cfg', in "
            f'{config}, beside {path.name}, but could not read it '
            f'({type(error).__name__}: {error}). Replace it by the one that '
            f'came with the weights.'
        ) from error
    return found
