# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""PartWorld: a small world drawn by code, to run the whole method anywhere.

Every picture shows one to three objects on a textured background. An object
is made of parts, a part may carry sub-parts, so that a picture comes with
masks on the three levels that SAM knows (sub-part, part, whole) beside the
semantic ground truth. Classes favour some backgrounds (boats favour the sea),
which tempts a classifier to look at the background, as real photos do.

``render_scene`` draws PartWorld's own classes; ``render_assemblies`` draws
random assemblies of random parts with the same code, on which the tiny SAM is
trained so that it stays class-agnostic.

Shapes: H W pixels of a picture. Unit coordinates run from -1 to 1, x to the
right and y downwards.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from .object_classes import BACKGROUNDS, CLASSES
from .poses import Pose, fill, place
from .shapes import ObjectClass
from .textures import jitter, smooth_noise, texture, to_rgb

__all__ = [
    'SIZES',
    'DrawnScene',
    'render',
    'render_landscape',
    'render_scene',
]

SIZES = ((112, 112), (96, 128), (128, 96))  # (H, W) of the data set's pictures


@dataclass
class DrawnScene:
    """A drawn picture and everything known about it.

    Attributes:
        image (ndarray): RGB picture, uint8, (H, W, 3).
        objects (ndarray): 1 + index into ``object_classes`` of the object
            seen at a pixel, 0 for background, int32, (H, W).
        parts (ndarray): A number for every drawn part, 0 for background,
            int32, (H, W).
        subparts (ndarray): A number for every drawn sub-part, 0 where there
            is none, int32, (H, W).
        regions (ndarray): 1 for the upper and 2 for the lower band of the
            background, hidden below objects or not, int32, (H, W).
        background (str): Name of the background.
        object_classes (list[int]): Class index of each object, back to front.
    """

    image: NDArray[np.uint8]
    objects: NDArray[np.int32]
    parts: NDArray[np.int32]
    subparts: NDArray[np.int32]
    regions: NDArray[np.int32]
    background: str
    object_classes: list[int] = field(default_factory=list)

    def semantic_map(self) -> NDArray[np.uint8]:
        """Map each pixel to class index plus one, 0 for background, (H, W)."""
        table = np.array([0] + [c + 1 for c in self.object_classes], np.uint8)
        return table[self.objects]

    def visible_classes(self) -> list[int]:
        """List the indices of the classes that are seen, sorted."""
        return sorted(set(self.object_classes))


def _draw_background(
    rng: np.random.Generator, name: str, height: int, width: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Draw two textured bands that meet at a tilted horizon."""
    # Split the picture at a tilted horizon
    horizon = height * rng.uniform(0.25, 0.65)
    tilt = rng.normal(0, 0.06)
    y, x = np.mgrid[0:height, 0:width]
    lower = y > horizon + tilt * (x - width / 2)
    # Fill each band with its colour and texture
    canvas = np.zeros((height, width, 3), np.float32)
    for (colour, kind), where in zip(
        BACKGROUNDS[name], (~lower, lower), strict=True
    ):
        rgb = to_rgb(jitter(rng, colour, 0.03, 0.08))
        relief = 32.0 * texture(rng, kind, height, width)
        relief += 14.0 * smooth_noise(rng, height, width, 4)
        canvas[where] = rgb + relief[where][:, None]
    return canvas, np.where(lower, 2, 1).astype(np.int32)


def _paint(
    rng: np.random.Generator,
    canvas: NDArray[np.float32],
    where: NDArray[np.bool_],
    rgb: NDArray[np.float32],
    relief: NDArray[np.float32],
) -> None:
    shade = rng.normal(0, 6.0)
    canvas[where] = rgb + shade + relief[where][:, None]


def _draw_object(
    rng: np.random.Generator,
    scene: DrawnScene,
    canvas: NDArray[np.float32],
    thing: ObjectClass,
    pose: Pose,
) -> None:
    """Paint one object over the scene, and its masks with it."""
    # Draw the tint and the relief of the whole object
    height, width = canvas.shape[:2]
    shape = (height, width)
    number = len(scene.object_classes)
    tint = jitter(rng, (0.5, 0.0, 0.0), 0.035, 0.12)
    relief = 16.0 * smooth_noise(rng, height, width, 6)
    relief += rng.normal(0, 5.0, shape).astype(np.float32)
    twins: dict[str, tuple[NDArray[np.float32], int]] = {}
    # Paint the parts from back to front, twins in one colour
    for part in thing.parts:
        if part.name not in twins:
            colour = (
                (part.colour[0] + tint[0] - 0.5) % 1.0,
                float(np.clip(part.colour[1] + tint[1] - 0.06, 0, 1)),
                float(np.clip(part.colour[2] + tint[2] - 0.08, 0.08, 1)),
            )
            twins[part.name] = (to_rgb(jitter(rng, colour, 0.012, 0.06)), 0)
        # Number the part's pixels; what it hides is lost
        where = fill(shape, pose(part.polygon))
        _paint(rng, canvas, where, twins[part.name][0], relief)
        scene.objects[where] = number
        scene.parts[where] = scene.parts.max() + 1
        scene.subparts[where] = 0
        # Paint the sub-parts on top, within their part
        for subpart in part.subparts:
            detail = fill(shape, pose(subpart.polygon)) & where
            rgb = to_rgb(jitter(rng, subpart.colour, 0.015, 0.06))
            _paint(rng, canvas, detail, rgb, 0.5 * relief)
            scene.subparts[detail] = scene.subparts.max() + 1


def render(
    rng: np.random.Generator,
    things: list[tuple[int, ObjectClass]],
    background: str,
    size: tuple[int, int],
) -> DrawnScene:
    """Draw objects on a background, the first ones at the back.

    Args:
        rng (Generator): Decides all that is random.
        things (list): Class index and class of each object. The last ones
            are left out where the scene is too crowded.
        background (str): Key of ``BACKGROUNDS``.
        size (tuple[int, int]): (H, W) in pixels.

    Returns:
        DrawnScene: The picture and its masks.
    """
    height, width = size
    # Find poses that hide no object
    poses = None
    while poses is None:
        for _ in range(60):
            poses = place(rng, [t for _, t in things], height, width)
            if poses is not None:
                break
        else:  # too crowded: leave the last one out
            things = things[: max(1, len(things) - 1)]
    # Paint the background, then the objects from back to front
    canvas, regions = _draw_background(rng, background, height, width)
    empty = np.zeros((height, width), np.int32)
    scene = DrawnScene(
        image=np.zeros((height, width, 3), np.uint8),
        objects=empty,
        parts=empty.copy(),
        subparts=empty.copy(),
        regions=regions,
        background=background,
    )
    for (index, thing), pose in zip(things, poses, strict=True):
        scene.object_classes.append(index)
        _draw_object(rng, scene, canvas, thing, pose)
    # Blur, light and add noise, as a camera does
    soft = np.asarray(cv2.GaussianBlur(canvas, (0, 0), 0.55))
    light = 1.0 + rng.normal(0, 0.07)
    lit = soft * light + rng.normal(0, 3.0, canvas.shape)
    scene.image = np.clip(np.round(lit), 0, 255).astype(np.uint8)
    return scene


def render_scene(
    seed: int,
    index: int,
    size: tuple[int, int] | None = None,
    home_share: float = 0.8,
) -> DrawnScene:
    """Draw picture ``index`` of the world ``seed``.

    The same arguments always give the same picture.

    Args:
        seed (int): Number of the world.
        index (int): Number of the picture.
        size (tuple[int, int], optional): (H, W) in pixels. Default: drawn
            from ``SIZES``.
        home_share (float): Share of pictures on a background that their first
            object favours; the others have any background.

    Returns:
        DrawnScene: The picture, with ``object_classes`` indexing ``CLASSES``.
    """
    # Draw size, classes and background from the picture's own generator
    rng = np.random.default_rng([seed, index])
    if size is None:
        size = SIZES[int(rng.integers(len(SIZES)))]
    count = int(rng.choice([1, 2, 3], p=[0.4, 0.4, 0.2]))
    chosen = rng.choice(len(CLASSES), size=count, replace=False)
    home = CLASSES[chosen[0]].backgrounds
    if rng.uniform() < home_share:
        background = str(rng.choice(home))
    else:
        background = str(rng.choice(list(BACKGROUNDS)))
    # Add a twin at times, so that masks of one class repeat
    things = [(int(c), CLASSES[c]) for c in chosen]
    if count < 3 and rng.uniform() < 0.2:  # a second one of the same class
        things.append(things[0])
    return render(rng, things, background, size)


def render_landscape(
    seed: int, index: int, size: tuple[int, int]
) -> DrawnScene:
    """Draw a background without an object, as captioned pictures have them.

    Args:
        seed (int): Number of the world.
        index (int): Number of the picture.
        size (tuple[int, int]): (H, W) in pixels.

    Returns:
        DrawnScene: The picture; it shows no class.
    """
    rng = np.random.default_rng([seed, index, 1])
    return render(rng, [], str(rng.choice(list(BACKGROUNDS))), size)
