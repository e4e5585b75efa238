# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The models for photos that run on a CPU: photo CLIP and MobileSAM."""

import os
from pathlib import Path

from ..models.clip import PHOTO_CLIP, FrozenCLIP, photo_clip_names
from ..models.masks import SAMEverything
from ..utils import UserInputError
from .known_weights import find_weights, read_known_weights
from .seed_one_photo import PhotoSeeder, PhotoSettings

__all__ = ['PHOTO_BACKGROUND', 'build_photo_seeder']

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


def _place(name: str, folder: str | os.PathLike[str]) -> Path:
    """Tell where ``tools/get_weights.py`` puts a file."""
    return Path(folder) / find_weights([name], read_known_weights())[0].file
