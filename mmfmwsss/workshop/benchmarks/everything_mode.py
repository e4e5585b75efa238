# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Time the everything mode against segment_anything's.

The same weights and settings, our three changes off, by turns: the tiny SAM
with crops on a picture of PartWorld, MobileSAM on a photo where its weights
are at hand, and a full-size ViT-B whose random weights let all masks pass the
filter by predicted IoU, which is the least favourable case for us.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from segment_anything import SamAutomaticMaskGenerator

from ...models.masks import EverythingSettings, build_sam, generate_masks
from ...structures import SAMMasks
from ...utils.photos import read_rgb
from ..partworld import render_scene
from ..random_sam import liven
from .comparison import Row, Settings, check, rows_of_threads
from .timing import threads

__all__ = ['compare_everything_modes', 'share_equal']

SIZE = (375, 500)
# Of the masks 1 in 200 may differ: rounding decides at the thresholds.
LIMIT = 0.005
TINY_SAM = dict(
    image_size=128,
    patch_size=8,
    encoder_width=96,
    encoder_depth=5,
    encoder_heads=3,
    decoder_width=64,
    decoder_heads=4,
    decoder_mlp=256,
)
HEAVY = dict(
    points_per_side=32,
    pred_iou_thresh=0.86,
    stability_score_thresh=0.92,
    crop_n_layers=1,
    crop_n_points_downscale_factor=2,
    min_mask_region_area=100,
)
# At which the tiny SAM, too, finds some hundred masks
TINY = HEAVY | dict(
    pred_iou_thresh=0.2, stability_score_thresh=0.3, min_mask_region_area=20
)
# Random weights predict nonsense, of which some must survive
LOOSE = dict(
    pred_iou_thresh=-10.0,
    stability_score_thresh=0.0,
    crop_n_layers=0,
    min_mask_region_area=0,
)


def compare_everything_modes(settings: Settings) -> Iterator[Row]:
    """Measure with the tiny SAM, MobileSAM and a random ViT-B."""
    # The tiny SAM on a picture of PartWorld
    picture = render_scene(seed=0, index=0).image
    tiny = build_sam(TINY_SAM, 'mmfmwsss://tiny_sam.safetensors')
    few = dict(points_per_side=6, crop_n_layers=0) if settings.quick else {}
    yield from _rows(
        'tiny SAM', tiny, picture, TINY | few, settings, repeats=2
    )
    if settings.quick:
        return
    # MobileSAM on a photo
    weights = Path(settings.shared, 'weights', 'mobile_sam.pt')
    photos = sorted(Path(settings.shared).glob('data/voc3/**/*.jpg'))
    if settings.shared and weights.is_file() and photos:
        yield from _rows(
            'MobileSAM, 16 x 16 points, no crops',
            build_sam('vit_t', str(weights)),
            read_rgb(str(photos[0])),
            HEAVY | dict(points_per_side=16, crop_n_layers=0),
            settings,
        )
    # A full-size ViT-B on a picture of a photo's size
    torch.manual_seed(0)
    yield from _rows(
        'ViT-B of random weights, 8 x 8 points, no crops',
        liven(build_sam('vit_b', None)),
        np.asarray(
            cv2.resize(picture, SIZE[::-1], interpolation=cv2.INTER_CUBIC),
            dtype=np.uint8,
        ),
        LOOSE | dict(points_per_side=8),
        settings,
    )


def _rows(
    case: str,
    sam: Any,
    image: NDArray[np.uint8],
    options: dict[str, Any],
    settings: Settings,
    repeats: int = 1,
) -> Iterator[Row]:
    """Compare the masks of one SAM, then time both ways."""
    # Set both up alike, without our changes
    stock = SamAutomaticMaskGenerator(sam, **(HEAVY | options))
    same = EverythingSettings(
        **(HEAVY | options), whole_iou_bonus=0.0, whole_first_nms=False
    )
    ways: dict[str, Callable[[], Any]] = dict(
        ours=lambda: generate_masks(sam, image, same),
        segment_anything=lambda: stock.generate(image),
    )
    # Compare the masks with all threads, which warms both up
    with threads(max(settings.threads)):
        ours, records = ways['ours'](), ways['segment_anything']()
    masks = [record['segmentation'] for record in records]
    theirs = np.stack(masks) if masks else np.zeros((0, *image.shape[:2]))
    lost = 1 - share_equal(ours, theirs)
    equality = check(f'all but a share of {len(masks)} masks', lost, LIMIT)
    yield from rows_of_threads(
        f'everything mode, {case}',
        equality,
        ways,
        repeats,
        settings.threads,
        warm_up=0,
    )


def share_equal(ours: SAMMasks, theirs: NDArray[Any]) -> float:
    """Return the share of their masks of which we have one, IoU >= 0.99."""
    # Compare nothing with nothing
    if len(theirs) == 0:
        return float(len(ours) == 0)
    # Compute the IoU of all pairs of masks
    a = ours.masks.flatten(1).float()
    b = torch.from_numpy(theirs).flatten(1).float()
    shared = b @ a.T
    union = b.sum(1, keepdim=True) + a.sum(1) - shared
    iou = torch.where(union > 0, shared / union, 1)  # both without a pixel
    # Look for the best of ours
    best = iou.amax(1) if len(ours) else torch.zeros(len(b))
    return float((best >= 0.99).float().mean())
