# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The models of one photo on a CPU: photo CLIP and MobileSAM, or tiny ones."""

import json
import os
from pathlib import Path
from typing import Any

from ..models.clip import PHOTO_CLIP, FrozenCLIP, photo_clip_names
from ..models.masks import SAMEverything
from ..structures.class_tables import get_class_prompts
from ..utils import UserInputError, resolve_path
from .known_weights import find_weights, read_known_weights
from .seed_one_photo import PhotoSeeder, PhotoSettings

__all__ = ['PHOTO_BACKGROUND', 'build_photo_seeder', 'build_tiny_seeder']

# Scenes and things that photos often show beside what is tagged; all are
# words that the photo CLIP was taught.
PHOTO_BACKGROUND = (
    *('valley', 'lakeshore', 'beach', 'cliff', 'mountain', 'sea', 'field'),
    *('split-rail fence', 'stone wall', 'building', 'house', 'barn', 'hay'),
    *('table', 'chair', 'bed', 'curtain', 'quilt', 'plant pot', 'car'),
)
_STEM_PACKAGE = 'efficientnet_lite2'
_SAM = 'mobile_sam'


def build_photo_seeder(
    weights_dir: str | os.PathLike[str] = 'weights',
    sam: str | os.PathLike[str] | None = None,
    stem: str | os.PathLike[str] | None = None,
    points_per_side: int = 16,
) -> PhotoSeeder:
    """Build the photo CLIP and MobileSAM for :class:`PhotoSeeder`.

    Args:
        weights_dir (str | PathLike): Where ``tools/get_weights.py`` puts
            weights.
        sam (str | PathLike, optional): MobileSAM's file instead.
        stem (str | PathLike, optional): EfficientNet-Lite2's file instead.
            Default: that in ``weights_dir`` or, if there is none, that of the
            installed package.
        points_per_side (int): Grid of SAM's point prompts. There are no
            crops, which take as long again.

    Returns:
        PhotoSeeder: Ready for photos.

    Raises:
        UserInputError: If weights are missing, with the command that gets
            them.
    """
    # Find the weights of MobileSAM.
    sam = sam or _place(_SAM, weights_dir)
    if not Path(sam).is_file():
        raise UserInputError(
            f"Expected MobileSAM's weights in {sam}, but there is no such "
            f'file. Get them with `python tools/get_weights.py {_SAM} '
            f'{_STEM_PACKAGE}`.'
        )
    # Find the CLIP's stem, in the folder or in its package.
    packed = _place(_STEM_PACKAGE, weights_dir)
    stem = stem or (packed if packed.is_file() else None)
    # Build the two networks, and the seeder on them.
    clip = FrozenCLIP(
        PHOTO_CLIP,
        'mmfmwsss://photo_clip.safetensors',
        attention_layers=2,
        stem_checkpoint=None if stem is None else str(stem),
    )
    masks = SAMEverything(
        arch='vit_t',
        checkpoint=sam,
        points_per_side=points_per_side,
        crop_n_layers=0,
    )
    settings = PhotoSettings(tuple(photo_clip_names()), PHOTO_BACKGROUND)
    return PhotoSeeder(clip, masks, settings)


def build_tiny_seeder(points_per_side: int = 16) -> PhotoSeeder:
    """Build PartWorld's tiny CLIP and SAM, which come with the package.

    They know drawn pictures only: for tests and rehearsals. The settings are
    those of ``configs/_base_/models/sam_tiny.py`` and
    ``clip_prompts_tiny.py``.

    Args:
        points_per_side (int): Grid of SAM's point prompts.

    Returns:
        PhotoSeeder: Ready for pictures.
    """
    # Build the CLIP, whose patches all take part in a prediction.
    arch = _tiny_arch('clip')
    arch['vision_cfg'].pop('patch_dropout')
    clip = FrozenCLIP(
        arch, 'mmfmwsss://tiny_clip.safetensors', attention_layers=2
    )
    # Build SAM, whose scores are lower than those of large models.
    masks = SAMEverything(
        arch=_tiny_arch('sam'),
        checkpoint='mmfmwsss://tiny_sam.safetensors',
        points_per_side=points_per_side,
        points_per_batch=32,
        crop_n_layers=0,
        pred_iou_thresh=0.4,
        stability_score_thresh=0.3,
        box_nms_thresh=0.8,
        min_mask_region_area=10,
    )
    # Name the things that PartWorld draws.
    names = get_class_prompts('partworld')
    settings = PhotoSettings(
        (*names.foreground, *names.background),
        names.background,
        mean=(122.771, 116.746, 104.094),
        std=(68.501, 66.632, 70.323),
        side=144,
        naming_side=144,
        use_caa=False,
    )
    return PhotoSeeder(clip, masks, settings)


def _tiny_arch(model: str) -> dict[str, Any]:
    """Read the architecture beside the weights of a tiny model."""
    path = resolve_path(f'mmfmwsss://tiny_{model}.json', '')
    arch: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
    return arch['config']


def _place(name: str, folder: str | os.PathLike[str]) -> Path:
    """Tell where ``tools/get_weights.py`` puts a file."""
    return Path(folder) / find_weights([name], read_known_weights())[0].file
