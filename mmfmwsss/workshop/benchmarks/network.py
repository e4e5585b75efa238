# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Time the inference of a stage-2 network with and without SAMS.

DeepLabV3+ (ResNet-18) of PartWorld's config with random weights on a picture
of 375 x 500 pixels with 100 masks.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from .comparison import Missing, Row, Settings, check, rows_of_threads
from .seeders import SIZE, discs

__all__ = ['compare_networks', 'loop_refinement']

ROOT = Path(__file__).parents[3]
CONFIG = 'configs/fmwsss/partworld_deeplabv3plus_sams.py'
LIMIT = 1e-4  # share of pixels


def compare_networks(settings: Settings) -> Iterator[Row]:
    """Measure a picture with SAMS on the network's output and without."""
    path = ROOT / CONFIG
    if not path.is_file():
        raise Missing(f'{CONFIG}, for this is no checkout')
    # Build the network, and the same one refined
    torch.manual_seed(0)
    config = Config.fromfile(path).model
    config.segmentor.backbone.init_cfg = None
    with DefaultScope.overwrite_default_scope('mmseg'):
        refined = MODELS.build(config).eval()
    plain = refined.segmentor
    size = (60, 80) if settings.quick else SIZE
    masks = discs(size)
    image = torch.randn(1, 3, *size)

    def sample() -> SegDataSample:
        found = SegDataSample(
            metainfo=dict(ori_shape=size, img_shape=size, pad_shape=size)
        )
        found.sam_masks = masks
        return found

    @torch.no_grad()
    def run(model: Any) -> SegDataSample:
        return model.predict(image, [sample()])[0]

    # Compare the refined labels with a loop on the network's output
    logits = run(plain).seg_logits.data
    slow = loop_refinement(logits.softmax(0), masks.masks, masks.levels)
    labels = run(refined).pred_sem_seg.data[0]
    share = float((labels != slow).float().mean())
    equality = check('labels of SAMS and a loop', share, LIMIT)
    yield from rows_of_threads(
        'network with SAMS',
        equality,
        {
            'network with SAMS': lambda: run(refined),
            'network alone': lambda: run(plain),
        },
        2 if settings.quick else 11,
        settings.threads,
    )


def loop_refinement(
    probabilities: Tensor, masks: Tensor, levels: Tensor
) -> Tensor:
    """Refine labels mask by mask, Section 4.4; background elsewhere.

    Args:
        probabilities (Tensor): Background first, (1 + C, H, W).
        masks (Tensor): Bool, (S, H, W).
        levels (Tensor): Of the masks, (S,).

    Returns:
        Tensor: (H, W).
    """
    # Take the most probable class of each mask
    means = torch.stack([probabilities[:, mask].mean(1) for mask in masks])
    confidence, winner = means.max(1)
    # Paint sub-parts first, then by rising confidence
    labels = torch.zeros(masks.shape[1:], dtype=torch.int64)
    order = sorted(
        range(len(masks)), key=lambda s: (int(levels[s]), float(confidence[s]))
    )
    for s in order:
        labels[masks[s]] = winner[s]
    return labels
