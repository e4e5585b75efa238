# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The PartWorld configs, made small, and masks that need no SAM."""

from pathlib import Path

import torch
from mmengine.config import Config
from PIL import Image

from ...structures import PART, WHOLE, SAMMasks

__all__ = ['small_partworld_config', 'write_quarter_masks']

_WORK_DIR = 'work_dirs/partworld'


def small_partworld_config(
    path: Path, work_dir: Path, iters: int = 2
) -> Config:
    """Read a PartWorld config for a run of seconds in this process.

    Args:
        path (Path): One of ``configs/fmwsss/partworld_*.py``. The data are
            those of ``$PARTWORLD_ROOT``.
        work_dir (Path): Takes the place of ``work_dirs/partworld``.
        iters (int): Iterations of a training.

    Returns:
        Config: Without workers, in batches of 3 and with a fixed rate.
    """
    # Move all folders below the one given
    text = Config.fromfile(path).dump().replace(_WORK_DIR, str(work_dir))
    config = Config.fromstring(text, '.py')
    # Load data in this process
    for key in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if config.get(key):
            config[key].update(num_workers=0, persistent_workers=False)
    # Shorten training
    if config.get('train_dataloader'):
        config.train_dataloader.batch_size = 3
    if config.get('train_cfg'):
        config.train_cfg.max_iters = iters
        config.param_scheduler = None
        config.default_hooks.checkpoint.interval = iters
    return config


def write_quarter_masks(images: Path, out: Path) -> None:
    """Write the upper and the lower half and a quarter as masks.

    Args:
        images (Path): Folder of JPEG files.
        out (Path): Folder of mask files.
    """
    for image in sorted(images.glob('*.jpg')):
        # Read the size from the picture
        with Image.open(image) as picture:
            width, height = picture.size
        # Mark two halves as wholes, and a quarter as a part of one
        masks = torch.zeros(3, height, width, dtype=torch.bool)
        masks[0, : height // 2] = True
        masks[1, height // 2 :] = True
        masks[2, : height // 2, : width // 2] = True
        levels = torch.tensor([WHOLE, WHOLE, PART])
        SAMMasks(masks, levels, torch.ones(3), torch.ones(3)).save(
            out / f'{image.stem}.json'
        )
