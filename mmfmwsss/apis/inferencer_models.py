# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The model of an inferencer, by its name or by its config."""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from mmengine.config import Config
from mmseg.registry import TASK_UTILS

from ..models.masks.batching import is_out_of_memory
from ..models.masks.sam_mask_generator import MaskSource
from ..utils import UserInputError, nearby_names, read_config
from ..utils.shipped_files import find_shipped_config
from .inferencer_inputs import ReadInput
from .photo_models import (
    build_mobile_masks,
    build_photo_seeder,
    build_tiny_seeder,
)
from .photo_seed import PhotoSeed
from .prompt_models import build_prompt_seeder
from .prompt_seeder import PhotoInput, PromptSeeder
from .seed_one_photo import PhotoSeeder
from .seed_result import SeedFailure, SeedResult

__all__ = ['Found', 'Seeder', 'build_seeder', 'seed_inputs']

Seeder: TypeAlias = PhotoSeeder | PromptSeeder
Found: TypeAlias = SeedResult | SeedFailure
FilePath: TypeAlias = str | os.PathLike[str]

_NAMED = ('photo', 'tiny')


def build_seeder(
    model: FilePath | Config,
    weights: FilePath | None,
    route: str | None,
    mask_source: Any,
    *,
    weights_dir: FilePath,
    sam: FilePath | None,
    stem: FilePath | None,
    points_per_side: int,
) -> Seeder:
    """Build the seeder of a name or a config.

    The arguments are those of :class:`SeedInferencer`.

    Returns:
        PhotoSeeder | PromptSeeder: On the CPU.

    Raises:
        UserInputError: If weights are missing, the model is neither, or it
            has no use for ``weights`` or ``route``.
    """
    # Refuse what belongs to configs
    source = _build_source(mask_source)
    named = isinstance(model, str) and model in _NAMED
    if named and (weights is not None or route is not None):
        raise UserInputError(
            'Expected `weights` and `route` with a config, but got '
            f'{weights or route!r} with {model!r}, which learns nothing.'
        )
    # Build a named seeder, or that of a config
    if model == 'photo':
        return build_photo_seeder(
            weights_dir, sam, stem, points_per_side, source
        )
    if model == 'tiny':
        return build_tiny_seeder(points_per_side, source)
    return build_prompt_seeder(
        _known_config(model),
        weights,
        route,
        source,
        partial(build_mobile_masks, weights_dir, sam, points_per_side),
    )


def _build_source(given: Any) -> MaskSource | None:
    """Build a source of masks of its config, or take it as it is."""
    if given is None or callable(given):
        source: MaskSource | None = given
        return source
    if isinstance(given, str | os.PathLike):
        given = (read_config(Path(given)).get('model') or {}).get('source')
    if not isinstance(given, Mapping):
        raise UserInputError(
            'Expected `mask_source` to be a config such as '
            "dict(type='SAMEverything', ...), or a *_sam_masks.py config with "
            f'`model.source`, but got {given!r}.'
        )
    return TASK_UTILS.build(dict(given))


def _known_config(model: str | os.PathLike[str] | Config) -> Path | Config:
    """Refuse a name that is neither a config nor one of ours."""
    if isinstance(model, Config):
        return model
    path = Path(model)
    known = path.is_file() or find_shipped_config(path) is not None
    if not known and path.suffix not in ('.py', '.json', '.yaml'):
        raise UserInputError(
            f'Expected `model` to be one of {", ".join(_NAMED)}, or the path '
            'of a config or the name of one that comes with the package, such '
            f'as fmwsss/voc_prompt.py, but got {str(model)!r}.'
            f'{nearby_names(str(model), list(_NAMED))}'
        )
    return path


def seed_inputs(seeder: Seeder, inputs: Sequence[ReadInput]) -> list[Found]:
    """Make the seeds of photos; one that fails stops no other.

    Args:
        seeder (PhotoSeeder | PromptSeeder): Makes the seeds.
        inputs (Sequence[ReadInput]): From :func:`read_input`.

    Returns:
        list: Of each photo, in their order.
    """
    # Seed the photos that could be read
    photos = [x[2] for x in inputs if isinstance(x[2], PhotoInput)]
    made = iter(_seed_all(seeder, photos))
    # Put results and failures into the order of the inputs
    found: list[Found] = []
    for name, path, photo in inputs:
        if isinstance(photo, SeedFailure):
            found.append(photo)
            continue
        one = next(made)
        found.append(
            SeedFailure(name, str(one))
            if isinstance(one, UserInputError)
            else SeedResult(name, path, photo.image, one, seeder.palette)
        )
    return found


def _seed_all(
    seeder: Seeder, photos: Sequence[PhotoInput]
) -> list[PhotoSeed | UserInputError]:
    """Seed photos together if seeder and memory can, else one by one."""
    if isinstance(seeder, PromptSeeder) and len(photos) > 1:
        try:
            return seeder.seed_batch(photos)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
    return [_seed_one(seeder, photo) for photo in photos]


def _seed_one(seeder: Seeder, photo: PhotoInput) -> PhotoSeed | UserInputError:
    """Seed a photo, or say what is wrong with it."""
    try:
        return seeder(photo.image, photo.tags, photo.masks)
    except UserInputError as error:
        return error
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        height, width = photo.image.shape[:2]
        return UserInputError(
            f'Expected a photo that fits into memory, but one of {width} x '
            f'{height} pixels does not ({error}). Make it smaller.'
        )
