# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Filter SAM's masks: by stability, crop edges, duplicates and crumbs.

``everything.py`` says in which order.
"""

from dataclasses import dataclass, fields
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import batched_nms, nms

from .crops import Box

__all__ = [
    'MaskBatch',
    'box_iou_bound',
    'drop_duplicates',
    'near_crop_edge',
    'remove_small_regions',
    'stability_score',
    'suppress',
    'surely_suppressed',
]

EDGE = 20.0  # pixels from a crop's edge that count as at the edge


@dataclass
class MaskBatch:
    """Upscaled masks.

    Attributes:
        masks (Tensor): bool, (S, H, W).
        boxes (Tensor): x0, y0, x1, y1 inclusive, int64, (S, 4).
        levels (Tensor): 0 sub-part, 1 part, 2 whole, int64, (S,).
        predicted_iou (Tensor): float32, (S,).
        stability (Tensor): Stability scores, float32, (S,).
        scores (Tensor): What non-maximum suppression goes by, float32, (S,).
    """

    masks: Tensor
    boxes: Tensor
    levels: Tensor
    predicted_iou: Tensor
    stability: Tensor
    scores: Tensor

    def filter(self, keep: Tensor) -> 'MaskBatch':
        """Keep some masks: bool (S,), or indices."""
        return MaskBatch(*(value[keep] for value in self._values()))

    def to(self, device: torch.device | str) -> 'MaskBatch':
        """Copy the masks to another device."""
        return MaskBatch(*(value.to(device) for value in self._values()))

    @staticmethod
    def cat(batches: list['MaskBatch']) -> 'MaskBatch':
        """Join batches, of which there must be at least one."""
        columns = zip(*(batch._values() for batch in batches), strict=True)
        return MaskBatch(*(torch.cat(column) for column in columns))

    def _values(self) -> list[Tensor]:
        return [getattr(self, field.name) for field in fields(self)]


def stability_score(logits: Tensor, threshold: float, offset: float) -> Tensor:
    """Compare a mask at a higher with itself at a lower threshold: IoU, (S,).

    A mask without a pixel at the lower threshold has 0.

    Args:
        logits (Tensor): (S, H, W).
        threshold (float): Logit from which a pixel is in the mask.
        offset (float): Distance of the two thresholds from it.
    """
    # Sixteen bits are fast, and hold a row of most pictures.
    narrow = logits.shape[2] <= torch.iinfo(torch.int16).max
    # Count the pixels at both thresholds; the inner lie in the outer.
    inner, outer = (
        (logits > threshold + shift)
        .sum(dim=2, dtype=torch.int16 if narrow else torch.int32)
        .sum(dim=1, dtype=torch.int32)
        for shift in (offset, -offset)
    )
    return inner / outer.clamp(min=1)


def near_crop_edge(boxes: Tensor, crop: Box, size: tuple[int, int]) -> Tensor:
    """Find masks cut off by their crop, not by the image, bool, (S,).

    Args:
        boxes (Tensor): In pixels of the image, (S, 4).
        crop (Box): The crop in the image.
        size (tuple[int, int]): Height and width of the image.

    Example:
        >>> boxes = torch.tensor([[0, 0, 50, 10], [0, 0, 10, 10]])
        >>> near_crop_edge(boxes, crop=(0, 0, 50, 40), size=(40, 100))
        tensor([ True, False])
    """
    height, width = size
    # Take sides that touch the crop's edge but not the image's.
    to_crop = (boxes - boxes.new_tensor(crop)).abs() <= EDGE
    to_image = (boxes - boxes.new_tensor((0, 0, width, height))).abs() <= EDGE
    return (to_crop & ~to_image).any(dim=1)


def box_iou_bound(inner: Tensor, outer: Tensor, boxes: Tensor) -> Tensor:
    """Compute the smallest IoU that bounded boxes can have with known ones.

    With ``inner is outer`` it is the IoU.

    Args:
        inner (Tensor): Boxes within the unknown ones, (S, 4).
        outer (Tensor): Boxes around the unknown ones, (S, 4).
        boxes (Tensor): Known boxes, (K, 4).

    Returns:
        Tensor: float64, (S, K); NaN for two boxes without area.
    """
    # Bound the intersection from below, by the inner boxes.
    low = torch.maximum(inner[:, None, :2], boxes[None, :, :2])
    high = torch.minimum(inner[:, None, 2:], boxes[None, :, 2:])
    # Float32 as in torchvision: same rounding, same decision.
    overlap = (high - low).clamp(min=0).prod(dim=2).float()
    # Bound the union from above, by the outer boxes.
    most, area = (
        (b[:, 2:] - b[:, :2]).clamp(min=0).prod(dim=1).float()
        for b in (outer, boxes)
    )
    return (overlap / (most[:, None] + area - overlap)).double()


def surely_suppressed(
    bounds: tuple[Tensor, Tensor], kept: Tensor, threshold: float
) -> Tensor:
    """Find masks that overlap a kept one too much, whatever their exact box.

    Args:
        bounds (tuple[Tensor, Tensor]): Boxes inside and outside of the boxes
            that the masks will have, (S, 4) each.
        kept (Tensor): Boxes of the kept masks, (K, 4).
        threshold (float): Box IoU above which a mask is suppressed.

    Returns:
        Tensor: bool, (S,).
    """
    return (box_iou_bound(*bounds, kept) > threshold).any(dim=1)


def suppress(batch: MaskBatch, kept: Tensor, threshold: float) -> MaskBatch:
    """Drop masks whose box overlaps that of a better mask too much.

    Args:
        batch (MaskBatch): Masks whose scores are below those of the kept ones.
        kept (Tensor): Boxes of the masks kept before, (K, 4).
        threshold (float): Box IoU above which the lower score is dropped.

    Returns:
        MaskBatch: From the best score down.
    """
    # Drop masks that overlap one kept before too much.
    overlap = box_iou_bound(batch.boxes, batch.boxes, kept)
    batch = batch.filter(~(overlap > threshold).any(dim=1))
    # Let the others compete with each other.
    return batch.filter(nms(batch.boxes.float(), batch.scores, threshold))


def drop_duplicates(
    masks: MaskBatch, preference: Tensor, threshold: float
) -> MaskBatch:
    """Keep one of the masks whose boxes overlap too much.

    Args:
        masks (MaskBatch): S masks in one image.
        preference (Tensor): The larger is kept, (S,).
        threshold (float): Box IoU above which two masks are one.

    Returns:
        MaskBatch: From the largest preference down.
    """
    one_class = torch.zeros(len(masks.boxes), dtype=torch.int64)
    return masks.filter(
        batched_nms(masks.boxes.float(), preference, one_class, threshold)
    )


def remove_small_regions(
    mask: NDArray[np.bool_], min_area: int
) -> tuple[NDArray[np.bool_], bool]:
    """Fill holes and drop islands of fewer than ``min_area`` pixels.

    Regions are 8-connected. When all are small the largest stays.

    Args:
        mask (ndarray): (H, W).
        min_area (int): In pixels.

    Returns:
        tuple[ndarray, bool]: The mask, and whether it has changed.

    Example:
        >>> ring = np.ones((3, 3), bool)
        >>> ring[1, 1] = False
        >>> mask, changed = remove_small_regions(ring, min_area=2)
        >>> bool(mask.all()), changed
        (True, True)
    """
    # Fill holes, the small regions outside of the mask.
    small, regions, _ = _small_regions(~mask, min_area)
    changed = bool(small.any())
    if changed:
        mask = mask | small[regions]
    # Drop islands, the small regions of the mask itself.
    small, regions, areas = _small_regions(mask, min_area)
    if not small.any():
        return mask, changed
    keep = ~small
    keep[0] = False
    # Keep the largest island where all are small.
    if not keep.any():
        keep[1 + int(np.argmax(areas[1:]))] = True
    return keep[regions], True


def _small_regions(
    mask: NDArray[np.bool_], min_area: int
) -> tuple[NDArray[np.bool_], NDArray[Any], NDArray[Any]]:
    """Find regions: which are small, the region of each pixel, the areas."""
    _, regions, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    areas = stats[:, cv2.CC_STAT_AREA]
    small = areas < min_area
    small[0] = False  # 0 is what is not in the mask
    return small, regions, areas
