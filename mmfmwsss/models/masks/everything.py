# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""SAM's everything mode: an image in, all its masks on three levels out.

The steps, which the functions below follow in this order:

1. Cut the image into crops: itself, then smaller ones that overlap.
2. Encode the crop and lay a grid of points over it.
3. Decode three masks of each point: sub-part, part and whole, still small.
4. Drop those of low predicted IoU; whole masks get a bonus.
   ``skip_covered_points`` runs 3 and 4 in rounds, from a coarse grid to the
   fine one, and leaves out points that a mask of an earlier round covers.
5. From the best score down, whole masks first, batch after batch:

   a. drop masks whose box surely overlaps that of a kept mask too much,
   b. upscale the others to the crop,
   c. drop the unstable ones,
   d. drop those that the crop cuts off,
   e. drop those whose box overlaps that of a better mask too much.

6. Put the kept masks of each crop into the image.
7. Drop duplicates between crops; masks of smaller crops are kept.
8. Fill holes, drop islands, then drop the duplicates this has made.

After ``SamAutomaticMaskGenerator`` of segment_anything and section 4.2 of
`FMA-WSSS <https://arxiv.org/abs/2312.03585>`_. With ``whole_iou_bonus=0`` and
``whole_first_nms=False`` the masks are those of ``SamAutomaticMaskGenerator``;
here each is made as late, and dropped as early, as the result allows.
"""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from segment_anything.modeling import Sam
from torch import Tensor

from ...structures import PART, WHOLE, SAMMasks
from .batching import map_in_batches
from .crop_view import CropView, encode_crop
from .crops import Box, crop_boxes, point_grid
from .everything_settings import EverythingSettings
from .fast.upscaling import box_bounds, mask_boxes, upscale
from .mask_filters import (
    MaskBatch,
    drop_duplicates,
    near_crop_edge,
    remove_small_regions,
    stability_score,
    suppress,
    surely_suppressed,
)
from .point_rounds import covered_points, point_rounds
from .sam_decoder import PointDecoder, PointMasks

__all__ = ['generate_masks']

# Logits that are upscaled at a time, 256 MiB: 64 masks of a photo of one
# megapixel, and fewer of a larger one.
_MOST_LOGITS = 1 << 26


@torch.no_grad()
def generate_masks(
    sam: Sam,
    image: NDArray[np.uint8],
    settings: EverythingSettings,
    points_per_batch: int = 64,
    masks_per_batch: int = 64,
    fast_network: bool = True,
) -> SAMMasks:
    """Find all masks of an image.

    Args:
        sam (Sam): The network; its device is used.
        image (ndarray): RGB, uint8, (H, W, 3).
        settings (EverythingSettings): What to look for and to keep.
        points_per_batch (int): Points decoded at once. Memory only.
        masks_per_batch (int): Masks upscaled at once, fewer of large photos.
            Memory only.
        fast_network (bool): False runs segment_anything's own encoder and
            decoder, whose numbers are the same up to rounding. Default: True.

    Returns:
        SAMMasks: The masks on the CPU, from the best score down; not yet
        filtered by occupation.
    """
    found, areas = [], []
    # 1. Cut the image into crops.
    crops = crop_boxes(
        (image.shape[0], image.shape[1]),
        settings.crop_n_layers,
        settings.crop_overlap_ratio,
    )
    for crop, layer in crops:
        # 2. Encode the crop and lay a grid of points over it.
        per_side = int(
            settings.points_per_side
            / settings.crop_n_points_downscale_factor**layer
        )
        view = encode_crop(
            sam, image, crop, point_grid(per_side), fast_network
        )
        at_once = min(masks_per_batch, max(1, _MOST_LOGITS // _area(crop)))
        # 3. and 4. Decode the points, drop masks of low predicted IoU.
        candidates = _decode(view, settings, points_per_batch, at_once)
        # 5. Upscale and filter from the best score down.
        masks = _select(candidates, view, settings, at_once)
        # 6. Put the kept masks into the image.
        found.append(_place(masks, view))
        areas += [_area(crop)] * len(masks.boxes)
    masks = MaskBatch.cat(found)
    # 7. Drop duplicates between crops; masks of smaller crops are kept.
    if len(crops) > 1:
        preference = 1 / torch.tensor(areas, dtype=torch.int64)
        masks = drop_duplicates(masks, preference, settings.crop_nms_thresh)
    # 8. Fill holes, drop islands, then drop the duplicates this has made.
    if settings.min_mask_region_area > 0:
        masks = _tidy(masks, settings)
    return SAMMasks(
        masks=masks.masks,
        levels=masks.levels,
        predicted_iou=masks.predicted_iou,
        stability_score=masks.stability,
    )


def _decode(
    view: CropView,
    settings: EverythingSettings,
    points_per_batch: int,
    masks_per_batch: int,
) -> PointMasks:
    """Run steps 3 and 4: decode masks, keep those that pass the IoU filter."""
    decode = partial(_decode_batch, decoder=view.decoder, settings=settings)
    at_once = view.decoder.batch_size(points_per_batch)
    if not settings.skip_covered_points:
        return PointMasks.cat(map_in_batches(decode, view.points, at_once))
    covered = torch.zeros_like(view.points[:, 0], dtype=torch.bool)
    batches: list[PointMasks] = []
    for numbers in point_rounds(math.isqrt(len(view.points))):
        # Decode the points of the round that no mask covers yet.
        numbers = numbers.to(covered.device)
        points = view.points[numbers[~covered[numbers]]]
        found = map_in_batches(decode, points, at_once)
        batches += found
        # Find the points that their masks cover.
        for candidates in found:
            covered |= _covered(candidates, view, settings, masks_per_batch)
    return PointMasks.cat(batches)


def _covered(
    candidates: PointMasks,
    view: CropView,
    settings: EverythingSettings,
    masks_per_batch: int,
) -> Tensor:
    """Find the points under part and whole masks that step 5 may keep."""
    large = torch.nonzero(candidates.levels >= PART)[:, 0]
    upscale_batch = partial(
        _upscale_and_filter,
        candidates=candidates,
        view=view,
        settings=settings,
    )
    covered = torch.zeros_like(view.points[:, 0], dtype=torch.bool)
    for batch in map_in_batches(upscale_batch, large, masks_per_batch):
        covered |= covered_points(batch.masks, view.places)
    return covered


def _decode_batch(
    points: Tensor, decoder: PointDecoder, settings: EverythingSettings
) -> PointMasks:
    # 3. Decode three masks of each point.
    decoded = decoder.decode(points)
    # 4. Drop those of low predicted IoU; whole masks get a bonus.
    iou = decoded.predicted_iou
    if settings.pred_iou_thresh > 0:
        bonus = iou.new_tensor([0, 0, settings.whole_iou_bonus])
        keep = iou + bonus > settings.pred_iou_thresh
    else:
        keep = torch.ones_like(iou, dtype=torch.bool)
    return decoded.masks(keep)


def _select(
    candidates: PointMasks,
    view: CropView,
    settings: EverythingSettings,
    masks_per_batch: int,
) -> MaskBatch:
    """Run step 5: suppress greedily, making only the masks that it needs.

    The result is that of upscaling and filtering all candidates and then
    suppressing, for a suppressed mask never suppresses another.
    """
    upscale_batch = partial(
        _upscale_and_filter,
        candidates=candidates,
        view=view,
        settings=settings,
    )
    threshold = settings.box_nms_thresh
    # Order the candidates from the best score down, whole masks first.
    scores = _ranking(candidates, settings)
    order = scores.argsort(descending=True, stable=True)
    kept = upscale_batch(order[:0])
    for numbers in order.split(masks_per_batch):
        # a. Drop masks whose box surely overlaps a kept one's too much.
        if len(kept.boxes):
            bounds = box_bounds(candidates.logits[numbers], view.frame)
            numbers = numbers[
                ~surely_suppressed(bounds, kept.boxes, threshold)
            ]
        # b. to d. Upscale the others, drop the unstable and the cut off.
        for masks in map_in_batches(upscale_batch, numbers, masks_per_batch):
            # e. Drop those whose box overlaps a better mask's too much.
            masks = suppress(masks, kept.boxes, threshold)
            kept = MaskBatch.cat([kept, masks])
    return kept


def _ranking(candidates: PointMasks, settings: EverythingSettings) -> Tensor:
    """Choose the scores that non-maximum suppression goes by, (S,)."""
    if settings.whole_first_nms:
        return candidates.predicted_iou + (candidates.levels == WHOLE)
    return candidates.predicted_iou


def _upscale_and_filter(
    numbers: Tensor,
    candidates: PointMasks,
    view: CropView,
    settings: EverythingSettings,
) -> MaskBatch:
    """Run steps 5 b to d for the candidates of these numbers."""
    # b. Upscale to the crop.
    logits = upscale(candidates.logits[numbers], view.frame)
    stability = stability_score(logits, 0, settings.stability_score_offset)
    masks = logits > 0
    boxes = mask_boxes(masks)
    # c. Drop the unstable ones.
    keep = torch.ones_like(stability, dtype=torch.bool)
    if settings.stability_score_thresh > 0:
        keep = stability >= settings.stability_score_thresh
    # d. Drop those that the crop cuts off.
    placed = boxes + _offset(boxes, view)
    keep &= ~near_crop_edge(placed, view.crop, view.image)
    return MaskBatch(
        masks[keep],
        boxes[keep],
        candidates.levels[numbers][keep],
        candidates.predicted_iou[numbers][keep],
        stability[keep],
        _ranking(candidates, settings)[numbers][keep],
    )


def _place(masks: MaskBatch, view: CropView) -> MaskBatch:
    """Step 6: put masks of a crop into the image, on the CPU."""
    masks = masks.to('cpu')
    x0, y0, x1, y1 = view.crop
    # Spare a copy where the crop is the whole image.
    if (y1 - y0, x1 - x0) == view.image:
        return masks
    # Leave all pixels outside of the crop empty.
    placed = torch.zeros(len(masks.boxes), *view.image, dtype=torch.bool)
    placed[:, y0:y1, x0:x1] = masks.masks
    return replace(
        masks, masks=placed, boxes=masks.boxes + _offset(masks.boxes, view)
    )


def _offset(boxes: Tensor, view: CropView) -> Tensor:
    """Compute what turns boxes in the crop into boxes in the image, (4,)."""
    x0, y0, _, _ = view.crop
    return boxes.new_tensor((x0, y0, x0, y0))


def _area(box: Box) -> int:
    x0, y0, x1, y1 = box
    return (x1 - x0) * (y1 - y0)


def _tidy(masks: MaskBatch, settings: EverythingSettings) -> MaskBatch:
    """Step 8: fill holes, drop islands, then drop duplicates."""
    # Tidy in place, and note which masks this has changed.
    changed = torch.zeros(len(masks.boxes), dtype=torch.bool)
    for number, mask in enumerate(masks.masks.numpy()):
        tidied, changed[number] = remove_small_regions(
            mask, settings.min_mask_region_area
        )
        mask[:] = tidied  # writes through to the tensor
    # Of duplicates keep the mask that needed no change.
    return drop_duplicates(
        replace(masks, boxes=mask_boxes(masks.masks)),
        (~changed).float(),
        max(settings.box_nms_thresh, settings.crop_nms_thresh),
    )
