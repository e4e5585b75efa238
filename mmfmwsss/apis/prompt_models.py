# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The model of a prompt or seed config, with its checkpoint, for photos."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from mmseg.registry import MODELS

from ..datasets.wrapped_datasets import inner_settings
from ..models.masks.sam_mask_generator import MaskSource
from ..models.segmentors import CLIPPromptSegmentor
from ..models.segmentors.checkpoint_fit import check_weights, weights_of
from ..utils import UserInputError, read_checkpoint, read_config
from .photo_models import build_mobile_masks, build_tiny_masks
from .photo_seed import GivenMasks
from .prompt_seeder import PromptSeeder

__all__ = ['build_prompt_seeder']

# Transforms that read files: a photo comes as an array, its masks beside it.
_READERS = (
    'LoadImageFromFile',
    'LoadImageStrict',
    'LoadSAMMasks',
    'LoadAnnotations',
)
_NETWORKS = (
    "A network's photos are segmented by mmseg's own inferencer: "
    'mmseg.apis.MMSegInferencer(CONFIG, CHECKPOINT).'
)


def build_prompt_seeder(
    config: str | os.PathLike[str] | Config,
    checkpoint: str | os.PathLike[str] | None = None,
    route: str | None = None,
    mask_source: MaskSource | None = None,
    find_sam: Callable[[], MaskSource] = build_mobile_masks,
) -> PromptSeeder:
    """Build the model of a prompt or seed config, and load its prompts.

    Args:
        config (str | PathLike | Config): One of ``configs/fmwsss/*_prompt.py``
            or ``*_seed.py``, or like them.
        checkpoint (str | PathLike, optional): Learnt prompts. Default:
            ``load_from`` of the config; none where nothing is learnt.
        route (str, optional): Of the model's routes. Default: the main one.
        mask_source (MaskSource, optional): Makes the masks. Default: the tiny
            SAM for the tiny CLIP, else what ``find_sam`` builds; nothing is
            built for a route that needs no masks.
        find_sam (Callable): Builds the default source of real photos.

    Returns:
        PromptSeeder: Ready for photos, on the CPU.

    Raises:
        UserInputError: If the config is of another kind, or weights are
            missing or do not fit.
    """
    if not isinstance(config, Config):
        config = read_config(Path(config))
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = _build_model(config)
        pipeline = Compose(_transforms(config))
    # Load the prompts, where any are learnt.
    if model.state_dict():
        _load_prompts(model, config, checkpoint)
    # Find what makes the masks.
    seeder = PromptSeeder(model, pipeline, mask_source or GivenMasks(), route)
    if mask_source is None and seeder.route.seeder.needs_masks:
        is_tiny = 'tiny_clip' in str(config.model.clip.get('checkpoint'))
        seeder.mask_source = build_tiny_masks() if is_tiny else find_sam()
    return seeder


def _build_model(config: Config) -> CLIPPromptSegmentor:
    """Build the model, if it is one of prompts."""
    kind = (config.get('model') or {}).get('type')
    if kind != CLIPPromptSegmentor.__name__:
        raise UserInputError(
            f'Expected a config of {CLIPPromptSegmentor.__name__}, such as '
            'configs/fmwsss/partworld_seed.py, but got one of '
            f'{kind}. {_NETWORKS}'
        )
    return MODELS.build(config.model)


def _transforms(config: Config) -> list[Mapping[str, Any]]:
    """Take the transforms of a test, without those that read files."""
    loader = config.get('test_dataloader') or {}
    dataset = next(inner_settings(loader.get('dataset') or {}))
    pipeline = dataset.get('pipeline')
    pipeline = pipeline or config.get('test_pipeline')
    if not pipeline:
        raise UserInputError(
            'Expected the transforms of a test in the config, in its '
            '`test_dataloader` or as `test_pipeline`, but got none. Take the '
            '*_seed.py config of the same prompts.'
        )
    return [step for step in pipeline if step['type'] not in _READERS]


def _load_prompts(
    model: CLIPPromptSegmentor,
    config: Config,
    checkpoint: str | os.PathLike[str] | None,
) -> None:
    """Load learnt prompts, all of them and no others."""
    path = checkpoint or config.get('load_from')
    if path is None or not Path(path).is_file():
        command = config.get('train_command') or 'python tools/train.py CONFIG'
        raise UserInputError(
            f'Expected learnt prompts in {path}, but there is no such file. '
            f'Learn them with `{command}`, or give `weights`.'
        )
    weights = weights_of(read_checkpoint(path), str(path))
    check_weights(model, weights, str(path))
