# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Choose the models for own photos where $CUSTOM_MODELS names none."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config

from .shipped_files import find_shipped_config

__all__ = ['CUSTOM_MODELS', 'ModelChoice', 'choose_custom_models']

CUSTOM_MODELS = 'CUSTOM_MODELS'
_FULL, _LAPTOP = 'vit_b16', 'photo'
# Variables with the path of weights of the full models, the configs that read
# them, and the settings in which the path ends up.
_WEIGHTS = (
    (
        'CLIP_VIT_B16',
        '_base_/models/clip_prompts_vit_b16.py',
        'prompt_model.clip.checkpoint',
    ),
    ('SAM_VIT_H', '_base_/models/sam.py', 'sam.checkpoint'),
)


@dataclass(frozen=True)
class ModelChoice:
    """Hold the models that are taken for own photos, and why.

    Attributes:
        models: A value of ``$CUSTOM_MODELS``.
        reason: One line for the user, with the command that changes it.
    """

    models: str
    reason: str


def choose_custom_models(text: str) -> ModelChoice | None:
    """Choose the full models where their weights are, else those for a CPU.

    A variable that names weights of the full models asks for these, whether
    or not the file is there.

    Args:
        text (str): Of a config and its bases.

    Returns:
        ModelChoice | None: None if the config does not read
            ``$CUSTOM_MODELS``, or it is set.
    """
    if os.environ.get(CUSTOM_MODELS) or not re.search(
        rf'\b{CUSTOM_MODELS}\b', text
    ):
        return None
    # Take what a variable names
    named = [name for name, *_ in _WEIGHTS if os.environ.get(name)]
    if named:
        return _full_models(f'${named[0]} names weights of theirs')
    # Look for the files
    missing = [path for path in _weight_paths() if not Path(path).is_file()]
    if not missing:
        return _full_models('their weights are there')
    verb = 'is' if len(missing) == 1 else 'are'
    return ModelChoice(
        _LAPTOP,
        f'${CUSTOM_MODELS} is not set, and {" and ".join(missing)} {verb} not '
        f'there: the models for a laptop are taken, {CUSTOM_MODELS}={_LAPTOP}.'
        ' For the full models: `python tools/get_weights.py clip_vit_b16 '
        f'sam_vit_h resnet101_v1c`, or `export {CUSTOM_MODELS}={_FULL}`.',
    )


def _full_models(why: str) -> ModelChoice:
    return ModelChoice(
        _FULL,
        f'${CUSTOM_MODELS} is not set: the full models are taken, '
        f'{CUSTOM_MODELS}={_FULL}, for {why}. For those of a laptop: '
        f'`export {CUSTOM_MODELS}={_LAPTOP}`.',
    )


def _weight_paths() -> list[str]:
    """Ask the configs of the full models where they look for weights."""
    paths = []
    for _, name, setting in _WEIGHTS:
        file = find_shipped_config(name)
        if file is not None:
            found = Config.fromfile(file)
            for key in setting.split('.'):
                found = found[key]
            paths.append(str(found))
    return paths
