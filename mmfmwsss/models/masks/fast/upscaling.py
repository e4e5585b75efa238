# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Upscale the decoder's small masks to the image, and bound their boxes.

SAM upscales in two bilinear steps: to the encoder's square, of which the
padding is cut, and to the image. A pixel of the result is a convex mean of a
small window of the small mask. So where the window is nowhere positive the
result is not positive, and where it is positive throughout so is the result:
that bounds the mask's box without upscaling it.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ['Frame', 'box_bounds', 'mask_boxes', 'upscale']


@dataclass(frozen=True)
class Frame:
    """The sizes that a mask passes through, in pixels.

    Attributes:
        small (tuple[int, int]): Height and width of the decoder's masks.
        square (int): Side of the encoder's input.
        resized (tuple[int, int]): The image in it, without padding.
        image (tuple[int, int]): The image.
    """

    small: tuple[int, int]
    square: int
    resized: tuple[int, int]
    image: tuple[int, int]


def upscale(logits: Tensor, frame: Frame) -> Tensor:
    """Bring mask logits to the image's size, as ``Sam.postprocess_masks``.

    Bit for bit its result; rows that only serve the padding are left out.

    Args:
        logits (Tensor): (S, h, w).
        frame (Frame): The sizes.

    Returns:
        Tensor: (S, H, W).
    """
    # Find how many small rows and columns the image reads.
    needed, target = [], []
    for small, resized in zip(frame.small, frame.resized, strict=True):
        ratio, rest = divmod(frame.square, small)
        count = small if rest else min(small, resized // ratio + 2)
        needed.append(count)
        target.append(frame.square if rest else count * ratio)
    # Upscale these to the square, and cut off the padding.
    part = logits[:, None, : needed[0], : needed[1]]
    large = F.interpolate(
        part, tuple(target), mode='bilinear', align_corners=False
    )[..., : frame.resized[0], : frame.resized[1]]
    return F.interpolate(
        large, frame.image, mode='bilinear', align_corners=False
    )[:, 0]


def mask_boxes(masks: Tensor) -> Tensor:
    """Find the boxes around masks, of the first and the last pixel.

    Args:
        masks (Tensor): bool, (S, H, W).

    Returns:
        Tensor: x0, y0, x1, y1 inclusive, int64, (S, 4). Zero where empty.
    """
    top, bottom = _ends(masks.any(dim=2))
    left, right = _ends(masks.any(dim=1))
    # Put zero boxes where masks are empty.
    boxes = torch.stack([left, top, right, bottom], dim=1)
    return boxes * (right >= left)[:, None]


def box_bounds(logits: Tensor, frame: Frame) -> tuple[Tensor, Tensor]:
    """Bound the box of an upscaled mask from inside and from outside.

    Args:
        logits (Tensor): (S, h, w), threshold 0.
        frame (Frame): The sizes.

    Returns:
        tuple[Tensor, Tensor]: Inner and outer boxes as ``mask_boxes``, (S, 4).
        An empty one has x1 < x0.
    """
    positive = logits > 0
    windows = [
        _support(axis, frame, logits.device) for axis in (0, 1)
    ]  # first and last small row (column) that a row (column) reads
    # Find where windows are positive throughout.
    core = positive
    for axis, (first, last) in enumerate(windows):
        core = _all_ahead(core, 1 + axis, int((last - first).max()))
    # Mark the small rows and columns where windows begin.
    read = [
        torch.zeros(size, dtype=torch.bool, device=logits.device).index_fill_(
            0, first, True
        )
        for size, (first, _) in zip(frame.small, windows, strict=True)
    ]
    inner, outer = [], []
    for axis, (first, last) in enumerate(windows):
        # Bound from inside: rows with a window that is all positive.
        other = 1 - axis
        shape = (1, 1, -1) if other else (1, -1, 1)
        sure = (core & read[other].view(shape)).any(dim=1 + other)
        inner.append(_ends(sure[:, first]))
        # Bound from outside: rows whose window may have a positive.
        start, end = _ends(positive.any(dim=1 + other))
        possible = (last >= start[:, None]) & (first <= end[:, None])
        outer.append(_ends(possible))
    return _as_boxes(inner), _as_boxes(outer)


def _support(
    axis: int, frame: Frame, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Find the small rows that each row of the image reads, (H,)."""
    small, resized = frame.small[axis], frame.resized[axis]
    length = frame.image[axis]
    rows = torch.arange(length, dtype=torch.float64, device=device)
    # The margin covers rounding in interpolate; a wider window stays a bound.
    margin = 1e-3
    # Find what a row reads of the encoder's square.
    place = (rows + 0.5) * (resized / length) - 0.5
    first = (place - margin).floor().clamp(0, resized - 1)
    last = ((place + margin).floor() + 1).clamp(0, resized - 1)
    # Find what those rows read of the small mask.
    ratio = small / frame.square
    first = ((first + 0.5) * ratio - 0.5 - margin).floor().clamp(0, small - 1)
    last = ((last + 0.5) * ratio - 0.5 + margin).floor() + 1
    return first.long(), last.clamp(0, small - 1).long()


def _all_ahead(values: Tensor, dim: int, reach: int) -> Tensor:
    """Find where a value and the ``reach`` next ones are all true."""
    result = values.clone()
    size = values.shape[dim]
    for step in range(1, min(reach, size - 1) + 1):
        result.narrow(dim, 0, size - step).logical_and_(
            values.narrow(dim, step, size - step)
        )
    return result


def _ends(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Find the first and last true place of each row, (S,); else 1 and 0."""
    numbers = rows.to(torch.uint8)
    empty = ~rows.any(dim=1)
    first = numbers.argmax(dim=1) + empty.long()
    last = rows.shape[1] - 1 - numbers.flip(1).argmax(dim=1)
    return first, last.masked_fill(empty, 0)


def _as_boxes(ends: list[tuple[Tensor, Tensor]]) -> Tensor:
    (top, bottom), (left, right) = ends
    return torch.stack([left, top, right, bottom], dim=1)
