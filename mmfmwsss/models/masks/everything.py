# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""SAM's everything mode: an image in, all its masks on three levels out.

After ``SamAutomaticMaskGenerator`` of segment_anything and section 4.2 of
`FMA-WSSS <https://arxiv.org/abs/2312.03585>`_. With ``whole_iou_bonus=0`` and
``whole_first_nms=False`` the masks are those of ``SamAutomaticMaskGenerator``;
here each is made as late, and dropped as early, as the result allows.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from segment_anything.modeling import Sam
from segment_anything.utils.transforms import ResizeLongestSide
from torch import Tensor
from torchvision.ops import batched_nms

from ...structures import WHOLE, SAMMasks
from .batching import map_in_batches
from .crops import Box, crop_boxes, point_grid
from .everything_settings import EverythingSettings
from .fast.decoder import (
    DecodedPoints,
    Decoder,
    KeepRule,
    prepare_fast,
    prepare_plain,
)
from .fast.encoder import encode_image
from .fast.upscaling import Frame, box_bounds, mask_boxes, upscale
from .mask_filters import (
    MaskBatch,
    lazy_nms,
    near_crop_edge,
    remove_small_regions,
    stability_score,
)

__all__ = ['generate_masks']


class _Networks(NamedTuple):
    encode: Callable[[Sam, Tensor], Tensor]
    prepare: Callable[[Sam, Tensor], Decoder]


_FAST = _Networks(
    lambda sam, image: encode_image(sam.image_encoder, image), prepare_fast
)
_PLAIN = _Networks(lambda sam, image: sam.image_encoder(image), prepare_plain)


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
        masks_per_batch (int): Masks upscaled at once. Memory only.
        fast_network (bool): False runs segment_anything's own encoder and
            decoder, whose numbers are the same up to rounding. Default: True.

    Returns:
        SAMMasks: The masks on the CPU, from the best score down; not yet
        filtered by occupation.
    """
    size = (image.shape[0], image.shape[1])
    networks = _FAST if fast_network else _PLAIN
    crops = crop_boxes(
        size, settings.crop_n_layers, settings.crop_overlap_ratio
    )
    found, areas = [], []
    for crop, layer in crops:
        x0, y0, x1, y1 = crop
        per_side = int(
            settings.points_per_side
            / settings.crop_n_points_downscale_factor**layer
        )
        candidates, frame = _decode_grid(
            sam,
            np.ascontiguousarray(image[y0:y1, x0:x1]),
            point_grid(per_side),
            partial(_passes_iou, settings=settings),
            networks,
            points_per_batch,
        )
        masks = _finish(
            candidates, frame, crop, size, settings, masks_per_batch
        )
        found.append(masks)
        areas += [(x1 - x0) * (y1 - y0)] * len(masks.boxes)
    masks = MaskBatch.cat(found)
    if len(crops) > 1:
        # The smaller a crop, the more of its masks are kept.
        masks = _drop_duplicates(
            masks,
            1 / torch.tensor(areas, dtype=torch.int64),
            settings.crop_nms_thresh,
        )
    if settings.min_mask_region_area > 0:
        masks = _tidy(masks, settings)
    return SAMMasks(
        masks=masks.masks,
        levels=masks.levels,
        predicted_iou=masks.predicted_iou,
        stability_score=masks.stability,
    )


def _passes_iou(iou: Tensor, settings: EverythingSettings) -> Tensor:
    if settings.pred_iou_thresh <= 0:
        return torch.ones_like(iou, dtype=torch.bool)
    bonus = iou.new_tensor([0, 0, settings.whole_iou_bonus])
    return iou + bonus > settings.pred_iou_thresh


def _decode_grid(
    sam: Sam,
    image: NDArray[np.uint8],
    grid: Tensor,
    keep_rule: KeepRule,
    networks: _Networks,
    points_per_batch: int,
) -> tuple[DecodedPoints, Frame]:
    """The masks of a crop that pass the IoU filter, small, in grid order."""
    square = sam.image_encoder.img_size
    pixels = ResizeLongestSide(square).apply_image(image)
    resized = (pixels.shape[0], pixels.shape[1])
    tensor = torch.from_numpy(pixels).to(sam.device).permute(2, 0, 1)
    network_input = sam.preprocess(tensor.contiguous()[None])
    embedding = networks.encode(sam, network_input)
    size = (image.shape[0], image.shape[1])
    # As segment_anything: to pixels of the crop, then of the encoder's input.
    points = grid * torch.tensor(size[::-1], dtype=grid.dtype)
    points = points * torch.tensor(
        [resized[1] / size[1], resized[0] / size[0]], dtype=grid.dtype
    )
    decode = networks.prepare(sam, embedding)
    batches = map_in_batches(
        lambda some: decode(some, keep_rule),
        points.to(sam.device),
        points_per_batch,
    )
    candidates = DecodedPoints.cat(batches)
    small = (candidates.logits.shape[1], candidates.logits.shape[2])
    return candidates, Frame(small, square, resized, size)


def _finish(
    candidates: DecodedPoints,
    frame: Frame,
    crop: Box,
    size: tuple[int, int],
    settings: EverythingSettings,
    masks_per_batch: int,
) -> MaskBatch:
    """Upscale what survives the other filters and the crop's own NMS."""
    scores = candidates.predicted_iou
    if settings.whole_first_nms:
        scores = scores + (candidates.levels == WHOLE)
    x0, y0, x1, y1 = crop
    offset = scores.new_tensor((x0, y0, x0, y0), dtype=torch.int64)

    def finish(numbers: Tensor) -> MaskBatch:
        logits = upscale(candidates.logits[numbers], frame)
        stability = stability_score(logits, 0, settings.stability_score_offset)
        masks = logits > 0
        boxes = mask_boxes(masks)
        keep = ~near_crop_edge(boxes + offset, crop, size)
        if settings.stability_score_thresh > 0:
            keep &= stability >= settings.stability_score_thresh
        return MaskBatch(
            masks[keep],
            boxes[keep],
            candidates.levels[numbers][keep],
            candidates.predicted_iou[numbers][keep],
            stability[keep],
            scores[numbers][keep],
        )

    kept = lazy_nms(
        scores,
        settings.box_nms_thresh,
        masks_per_batch,
        bounds=lambda numbers: box_bounds(candidates.logits[numbers], frame),
        finish=finish,
    ).to('cpu')
    whole = torch.zeros(len(kept.boxes), *size, dtype=torch.bool)
    whole[:, y0:y1, x0:x1] = kept.masks
    return replace(kept, masks=whole, boxes=kept.boxes + offset.cpu())


def _drop_duplicates(
    masks: MaskBatch, scores: Tensor, threshold: float
) -> MaskBatch:
    one_class = torch.zeros(len(masks.boxes), dtype=torch.int64)
    return masks.filter(
        batched_nms(masks.boxes.float(), scores, one_class, threshold)
    )


def _tidy(masks: MaskBatch, settings: EverythingSettings) -> MaskBatch:
    """Fill small holes, drop small islands, and what has become double."""
    changed = torch.zeros(len(masks.boxes), dtype=torch.bool)
    for number, mask in enumerate(masks.masks.numpy()):
        tidied, changed[number] = remove_small_regions(
            mask, settings.min_mask_region_area
        )
        mask[:] = tidied  # writes through to the tensor
    boxes = mask_boxes(masks.masks)
    # Masks that needed no change go first.
    return _drop_duplicates(
        replace(masks, boxes=boxes),
        (~changed).float(),
        max(settings.box_nms_thresh, settings.crop_nms_thresh),
    )
