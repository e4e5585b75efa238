# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Place objects in a picture of PartWorld so that each is seen."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .shapes import ObjectClass, Polygon

__all__ = ['Pose', 'fill', 'place']

MIN_VISIBLE_PIXELS = 90  # an object hidden further than this is not drawn
MIN_VISIBLE_SHARE = 0.7


@dataclass
class Pose:
    """Place unit coordinates in the picture."""

    scale: float
    stretch: float
    mirror: float
    angle: float
    x: float
    y: float

    def __call__(self, polygon: Polygon) -> Polygon:
        """Stretch, turn, scale and shift a polygon into the picture."""
        points = polygon * (self.mirror * self.stretch, 1.0 / self.stretch)
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        rotation = np.array([[cos, sin], [-sin, cos]])
        return points @ rotation * self.scale + (self.x, self.y)


def _random_pose(rng: np.random.Generator, height: int, width: int) -> Pose:
    # Choose a scale by the shorter side
    side = min(height, width)
    scale = side * rng.uniform(0.22, 0.55)
    margin = 0.75 * scale
    # Draw a mild turn and stretch, well inside the picture
    return Pose(
        scale=scale,
        stretch=float(np.exp(rng.normal(0, 0.1))),
        mirror=float(rng.choice([-1.0, 1.0])),
        angle=rng.normal(0, 0.16),
        x=rng.uniform(margin, width - margin),
        y=rng.uniform(margin, height - margin),
    )


def fill(shape: tuple[int, int], polygon: Polygon) -> NDArray[np.bool_]:
    """Fill a polygon, bool, (H, W)."""
    mask = np.zeros(shape, np.uint8)
    points = np.round(polygon * 16).astype(np.int32)  # 4 fractional bits
    cv2.fillPoly(mask, [points], 1, lineType=cv2.LINE_8, shift=4)
    return mask.astype(bool)


def _silhouette(
    shape: tuple[int, int], thing: ObjectClass, pose: Pose
) -> NDArray[np.bool_]:
    mask = np.zeros(shape, bool)
    for part in thing.parts:
        mask |= fill(shape, pose(part.polygon))
    return mask


def place(
    rng: np.random.Generator,
    things: list[ObjectClass],
    height: int,
    width: int,
) -> list[Pose] | None:
    """Draw poses under which every object stays visible, or None."""
    # Put each object somewhere
    poses: list[Pose] = []
    masks: list[NDArray[np.bool_]] = []
    for thing in things:
        pose = _random_pose(rng, height, width)
        poses.append(pose)
        masks.append(_silhouette((height, width), thing, pose))
    # Refuse the poses if an object in front hides too much of another
    covered = np.zeros((height, width), bool)
    for mask in reversed(masks):
        visible = (mask & ~covered).sum()
        if visible < max(MIN_VISIBLE_PIXELS, MIN_VISIBLE_SHARE * mask.sum()):
            return None
        covered |= mask
    return poses
