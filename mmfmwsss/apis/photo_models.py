# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The models of one photo on a CPU: photo CLIP and MobileSAM, or tiny ones."""

import json
import os
from pathlib import Path
from typing import Any

from ..models.clip import PHOTO_CLIP, FrozenCLIP, photo_clip_names
from ..models.masks import SAMEverything
from ..models.masks.sam_mask_generator import MaskSource
from ..structures.class_tables import get_class_prompts
from ..utils import UserInputError, resolve_path
from .known_weights import find_weights, read_known_weights
from .seed_one_photo import PhotoSeeder, PhotoSettings

__all__ = [
    'PHOTO_BACKGROUND',
    'build_mobile_masks',
    'build_photo_seeder',
    'build_tiny_masks',
    'build_tiny_seeder',
]

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
    mask_source: MaskSource | None = None,
) -> PhotoSeeder:
    """Build the photo CLIP and MobileSAM for :class:`PhotoSeeder`.

    Args:
        weights_dir (str | PathLike): Where ``tools/get_weights.py`` puts
            weights.
        sam (str | PathLike, optional): MobileSAM's file instead.
        stem (str | PathLike, optional): EfficientNet-Lite2's file instead.
            Default: $EFFICIENTNET_LITE2, that in ``weights_dir`` or, if there
            is none, that of the installed package.
        points_per_side (int): See :func:`build_mobile_masks`.
        mask_source (MaskSource, optional): What makes the masks instead of
            MobileSAM; no weights of a SAM are looked for then.

    Returns:
        PhotoSeeder: Ready for photos.

    Raises:
        UserInputError: If weights are missing, with the command that gets
            them.
    """
    # Build MobileSAM first: it is its weights that may be missing.
    if mask_source is None:
        mask_source = build_mobile_masks(weights_dir, sam, points_per_side)
    # Find the CLIP's stem, in the folder or in its package.
    packed = _place(_STEM_PACKAGE, weights_dir)
    stem = stem or os.environ.get('EFFICIENTNET_LITE2')
    stem = stem or (packed if packed.is_file() else None)
    # Build the network, and the seeder on it.
    clip = FrozenCLIP(
        PHOTO_CLIP,
        'mmfmwsss://photo_clip.safetensors',
        attention_layers=2,
        stem_checkpoint=None if stem is None else str(stem),
    )
    settings = PhotoSettings(tuple(photo_clip_names()), PHOTO_BACKGROUND)
    return PhotoSeeder(clip, mask_source, settings)


def build_mobile_masks(
    weights_dir: str | os.PathLike[str] = 'weights',
    sam: str | os.PathLike[str] | None = None,
    points_per_side: int = 16,
) -> SAMEverything:
    """Build MobileSAM in everything mode, as a CPU can run it.

    Args:
        weights_dir (str | PathLike): Where ``tools/get_weights.py`` puts
            weights.
        sam (str | PathLike, optional): MobileSAM's file instead. Default:
            $MOBILE_SAM, or that in ``weights_dir``.
        points_per_side (int): Grid of SAM's point prompts. There are no
            crops, which take as long again.

    Returns:
        SAMEverything: A source of masks.

    Raises:
        UserInputError: If the weights are missing, with the command that gets
            them.
    """
    sam = sam or os.environ.get('MOBILE_SAM') or _place(_SAM, weights_dir)
    if not Path(sam).is_file():
        raise UserInputError(
            f"Expected MobileSAM's weights in {sam}, but there is no such "
            f'file. Get them with `python tools/get_weights.py {_SAM} '
            f'{_STEM_PACKAGE}`.'
        )
    return SAMEverything(
        arch='vit_t',
        checkpoint=sam,
        points_per_side=points_per_side,
        crop_n_layers=0,
        skip_covered_points=True,
    )


def build_tiny_seeder(
    points_per_side: int = 16,
    mask_source: MaskSource | None = None,
) -> PhotoSeeder:
    """Build PartWorld's tiny CLIP and SAM, which come with the package.

    They know drawn pictures only: for tests and rehearsals. The settings are
    those of ``configs/_base_/models/sam_tiny.py`` and
    ``clip_prompts_tiny.py``.

    Args:
        points_per_side (int): Grid of SAM's point prompts.
        mask_source (MaskSource, optional): What makes the masks instead of
            the tiny SAM.

    Returns:
        PhotoSeeder: Ready for pictures.
    """
    # Build the CLIP, whose patches all take part in a prediction.
    arch = _tiny_arch('clip')
    arch['vision_cfg'].pop('patch_dropout')
    clip = FrozenCLIP(
        arch, 'mmfmwsss://tiny_clip.safetensors', attention_layers=2
    )
    if mask_source is None:
        mask_source = build_tiny_masks(points_per_side)
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
        never_tags=names.background,
    )
    return PhotoSeeder(clip, mask_source, settings)


def build_tiny_masks(points_per_side: int = 16) -> SAMEverything:
    """Build PartWorld's tiny SAM, whose scores are lower than SAM's.

    Args:
        points_per_side (int): Grid of SAM's point prompts.

    Returns:
        SAMEverything: A source of masks.
    """
    return SAMEverything(
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


def _tiny_arch(model: str) -> dict[str, Any]:
    """Read the architecture beside the weights of a tiny model."""
    path = resolve_path(f'mmfmwsss://tiny_{model}.json', '')
    arch: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
    return arch['config']


def _place(name: str, folder: str | os.PathLike[str]) -> Path:
    """Tell where ``tools/get_weights.py`` puts a file."""
    return Path(folder) / find_weights([name], read_known_weights())[0].file
