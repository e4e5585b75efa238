# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Why the mask at a point got its class: the numbers of Eq. 8 to 10."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ...apis.seed_one_photo import PhotoSeed
from ...models.seeding import paint_order
from ...models.seeding.sams import mask_means
from ...structures import LEVEL_NAMES, SAMMasks

__all__ = ['MaskReason', 'TagScore', 'reason_at']


@dataclass(frozen=True)
class TagScore:
    """Score of one tag for one mask.

    Attributes:
        tag (str): The tag.
        mean (float): Its activation, clamped at 0, averaged over the mask.
        least (float): Least such average among all masks of the photo.
        most (float): Greatest of them.
        score (float): Place of ``mean`` between the two, Eq. 8.
    """

    tag: str
    mean: float
    least: float
    most: float
    score: float


@dataclass(frozen=True)
class MaskReason:
    """Tell what decided the mask that lies on top of a point.

    Attributes:
        index (int): Number of the mask.
        level (str): 'subpart', 'part' or 'whole'.
        share (float): Of the photo, 0 to 1.
        tags (tuple[TagScore, ...]): Of the P tags.
        alpha (float): Power in Eq. 9.
        background (float): Score of the background, Eq. 9.
        winner (str): Tag or 'background', Eq. 10.
        confidence (float): Its score.
        below (tuple[str, ...]): Masks that it hides here, topmost first, as
            'part 3: cat'.
    """

    index: int
    level: str
    share: float
    tags: tuple[TagScore, ...]
    alpha: float
    background: float
    winner: str
    confidence: float
    below: tuple[str, ...]


def reason_at(
    result: PhotoSeed, point: tuple[int, int], alpha: float
) -> MaskReason | None:
    """Explain the class of the mask on top of a point.

    Args:
        result (PhotoSeed): CAMs, masks and decisions of a photo.
        point (tuple[int, int]): x and y, pixels of the photo.
        alpha (float): Power of the background's score.

    Returns:
        MaskReason | None: None where there is no mask, or no photo.
    """
    # List the masks at the point, topmost first
    masks, decisions = result.masks, result.decisions
    stack = masks_at(masks, decisions.confidence, point)
    if not stack:
        return None
    top, names = stack[0], ('background', *result.tags)
    # Gather the averages that Eq. 8 stretches to 0..1
    means, seen = mask_means(masks.masks, result.cams)
    scores = decisions.scores[top].tolist()
    tags = tuple(
        TagScore(
            tag,
            float(means[top, column]),
            float(means[seen, column].min()),
            float(means[seen, column].max()),
            scores[column + 1],
        )
        for column, tag in enumerate(result.tags)
    )
    return MaskReason(
        index=top,
        level=LEVEL_NAMES[int(masks.levels[top])],
        share=float(masks.masks[top].float().mean()),
        tags=tags,
        alpha=alpha,
        background=scores[0],
        winner=names[int(decisions.winner[top])],
        confidence=float(decisions.confidence[top]),
        below=tuple(_named(result, i, names) for i in stack[1:]),
    )


def masks_at(
    masks: SAMMasks, confidence: torch.Tensor, point: tuple[int, int]
) -> list[int]:
    """List the masks that contain a point, the one on top first.

    Args:
        masks (SAMMasks): S masks of (H, W).
        confidence (Tensor): Score of each, (S,).
        point (tuple[int, int]): x and y; outside of the photo there is none.
    """
    x, y = point
    height, width = masks.size
    if not (0 <= x < width and 0 <= y < height):
        return []
    there = masks.masks[:, y, x]
    order = paint_order(masks.levels, confidence).flip(0)
    return [int(index) for index in order if there[index]]


def _named(result: PhotoSeed, index: int, names: Sequence[str]) -> str:
    level = LEVEL_NAMES[int(result.masks.levels[index])]
    return f'{level} {index}: {names[int(result.decisions.winner[index])]}'
