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

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from .object_classes import (
    BACKGROUNDS,
    CLASSES,
    HSV,
    PALETTE,
    ObjectClass,
    Part,
    Polygon,
    SubPart,
    ellipse,
    polygon_of,
)

__all__ = [
    'BACKGROUNDS',
    'CLASSES',
    'PALETTE',
    'DrawnScene',
    'ObjectClass',
    'Part',
    'SubPart',
    'random_object_class',
    'render_assemblies',
    'render_landscape',
    'render_scene',
]

SIZES = ((112, 112), (96, 128), (128, 96))  # (H, W) of the data set's pictures
MIN_VISIBLE_PIXELS = 90  # an object hidden further than this is not drawn
MIN_VISIBLE_SHARE = 0.7


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
        """Class index plus one at every pixel, 0 for background, (H, W)."""
        table = np.array([0] + [c + 1 for c in self.object_classes], np.uint8)
        return table[self.objects]

    def visible_classes(self) -> list[int]:
        """Sorted indices of the classes that are seen."""
        return sorted(set(self.object_classes))


# --------------------------------------------------------------------------
# Drawing
# --------------------------------------------------------------------------


def _to_rgb(colour: HSV) -> NDArray[np.float32]:
    hue, saturation, value = colour
    bands = np.array([5.0, 3.0, 1.0]) + hue * 6.0
    k = np.mod(bands, 6.0)
    share = np.clip(np.minimum(k, 4.0 - k), 0.0, 1.0)
    return (255.0 * value * (1.0 - saturation * share)).astype(np.float32)


def _jitter(
    rng: np.random.Generator, colour: HSV, hue: float, tone: float
) -> HSV:
    return (
        (colour[0] + rng.normal(0, hue)) % 1.0,
        float(np.clip(colour[1] + rng.normal(0, tone), 0, 1)),
        float(np.clip(colour[2] + rng.normal(0, tone), 0.08, 1)),
    )


def _smooth_noise(
    rng: np.random.Generator, height: int, width: int, cells: int
) -> NDArray[np.float32]:
    """Noise in -1..1 that varies over 1 / ``cells`` of the picture, (H, W)."""
    grid = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
    size = (width, height)
    noise = cv2.resize(grid, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(noise, np.float32)


def _texture(
    rng: np.random.Generator, kind: str, height: int, width: int
) -> NDArray[np.floating]:
    """Brightness offsets of a named texture, about -1..1, (H, W)."""
    if kind == 'plain':
        return 0.3 * _smooth_noise(rng, height, width, 3)
    if kind == 'cloud':
        return np.maximum(_smooth_noise(rng, height, width, 5), 0)
    if kind == 'blob':
        return 0.9 * _smooth_noise(rng, height, width, 12)
    if kind == 'speckle':
        return rng.normal(0, 0.35, (height, width)).astype(np.float32)
    if kind == 'star':
        stars = rng.uniform(size=(height, width)) > 0.985
        return 2.5 * stars.astype(np.float32)
    return _periodic_texture(rng, kind, height, width)


def _periodic_texture(
    rng: np.random.Generator, kind: str, height: int, width: int
) -> NDArray[np.floating]:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    period = rng.uniform(5, 9)
    phase = rng.uniform(0, 2 * math.pi)
    if kind == 'wave':
        bend = 2.5 * _smooth_noise(rng, height, width, 6)
        return 0.6 * np.sin(2 * math.pi * y / period + bend + phase)
    if kind == 'blade':
        bend = 3.0 * _smooth_noise(rng, height, width, 10)
        return 0.6 * np.sin(2 * math.pi * x / (0.6 * period) + bend + phase)
    if kind == 'stripe':
        return 0.5 * np.sign(np.sin(math.pi * x / period + phase))
    if kind == 'board':
        lines = np.abs(np.mod(y, period * 1.3) - 1) < 1
        return -1.0 * lines.astype(np.float32)
    if kind == 'brick':
        row = np.floor(y / period)
        joint = np.mod(y, period) < 1
        joint |= np.mod(x + (row % 2) * period, 2 * period) < 1
        return 0.8 * joint.astype(np.float32)
    raise ValueError(f'Expected a known texture, but got {kind!r}.')


def _draw_background(
    rng: np.random.Generator, name: str, height: int, width: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Two textured bands that meet at a tilted horizon."""
    horizon = height * rng.uniform(0.25, 0.65)
    tilt = rng.normal(0, 0.06)
    y, x = np.mgrid[0:height, 0:width]
    lower = y > horizon + tilt * (x - width / 2)
    canvas = np.zeros((height, width, 3), np.float32)
    for (colour, texture), where in zip(
        BACKGROUNDS[name], (~lower, lower), strict=True
    ):
        rgb = _to_rgb(_jitter(rng, colour, 0.03, 0.08))
        relief = 32.0 * _texture(rng, texture, height, width)
        relief += 14.0 * _smooth_noise(rng, height, width, 4)
        canvas[where] = rgb + relief[where][:, None]
    return canvas, np.where(lower, 2, 1).astype(np.int32)


@dataclass
class _Pose:
    """Places unit coordinates in the picture."""

    scale: float
    stretch: float
    mirror: float
    angle: float
    x: float
    y: float

    def __call__(self, polygon: Polygon) -> Polygon:
        points = polygon * (self.mirror * self.stretch, 1.0 / self.stretch)
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        rotation = np.array([[cos, sin], [-sin, cos]])
        return points @ rotation * self.scale + (self.x, self.y)


def _random_pose(rng: np.random.Generator, height: int, width: int) -> _Pose:
    side = min(height, width)
    scale = side * rng.uniform(0.22, 0.55)
    margin = 0.75 * scale
    return _Pose(
        scale=scale,
        stretch=float(np.exp(rng.normal(0, 0.1))),
        mirror=float(rng.choice([-1.0, 1.0])),
        angle=rng.normal(0, 0.16),
        x=rng.uniform(margin, width - margin),
        y=rng.uniform(margin, height - margin),
    )


def _fill(shape: tuple[int, int], polygon: Polygon) -> NDArray[np.bool_]:
    mask = np.zeros(shape, np.uint8)
    points = np.round(polygon * 16).astype(np.int32)  # 4 fractional bits
    cv2.fillPoly(mask, [points], 1, lineType=cv2.LINE_8, shift=4)
    return mask.astype(bool)


def _silhouette(
    shape: tuple[int, int], thing: ObjectClass, pose: _Pose
) -> NDArray[np.bool_]:
    mask = np.zeros(shape, bool)
    for part in thing.parts:
        mask |= _fill(shape, pose(part.polygon))
    return mask


def _place(
    rng: np.random.Generator,
    things: list[ObjectClass],
    height: int,
    width: int,
) -> list[_Pose] | None:
    """Poses under which every object stays visible, or None."""
    poses: list[_Pose] = []
    masks: list[NDArray[np.bool_]] = []
    for thing in things:
        pose = _random_pose(rng, height, width)
        poses.append(pose)
        masks.append(_silhouette((height, width), thing, pose))
    covered = np.zeros((height, width), bool)
    for mask in reversed(masks):
        visible = (mask & ~covered).sum()
        if visible < max(MIN_VISIBLE_PIXELS, MIN_VISIBLE_SHARE * mask.sum()):
            return None
        covered |= mask
    return poses


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
    pose: _Pose,
) -> None:
    """Paint one object over the scene, and its masks with it."""
    height, width = canvas.shape[:2]
    shape = (height, width)
    number = len(scene.object_classes)
    tint = _jitter(rng, (0.5, 0.0, 0.0), 0.035, 0.12)
    relief = 16.0 * _smooth_noise(rng, height, width, 6)
    relief += rng.normal(0, 5.0, shape).astype(np.float32)
    twins: dict[str, tuple[NDArray[np.float32], int]] = {}
    for part in thing.parts:
        if part.name not in twins:
            colour = (
                (part.colour[0] + tint[0] - 0.5) % 1.0,
                float(np.clip(part.colour[1] + tint[1] - 0.06, 0, 1)),
                float(np.clip(part.colour[2] + tint[2] - 0.08, 0.08, 1)),
            )
            twins[part.name] = (_to_rgb(_jitter(rng, colour, 0.012, 0.06)), 0)
        where = _fill(shape, pose(part.polygon))
        _paint(rng, canvas, where, twins[part.name][0], relief)
        scene.objects[where] = number
        scene.parts[where] = scene.parts.max() + 1
        scene.subparts[where] = 0
        for subpart in part.subparts:
            detail = _fill(shape, pose(subpart.polygon)) & where
            rgb = _to_rgb(_jitter(rng, subpart.colour, 0.015, 0.06))
            _paint(rng, canvas, detail, rgb, 0.5 * relief)
            scene.subparts[detail] = scene.subparts.max() + 1


def _render(
    rng: np.random.Generator,
    things: list[tuple[int, ObjectClass]],
    background: str,
    size: tuple[int, int],
) -> DrawnScene:
    height, width = size
    poses = None
    while poses is None:
        for _ in range(60):
            poses = _place(rng, [t for _, t in things], height, width)
            if poses is not None:
                break
        else:  # too crowded: leave the last one out
            things = things[: max(1, len(things) - 1)]
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
    things = [(int(c), CLASSES[c]) for c in chosen]
    if count < 3 and rng.uniform() < 0.2:  # a second one of the same class
        things.append(things[0])
    return _render(rng, things, background, size)


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
    return _render(rng, [], str(rng.choice(list(BACKGROUNDS))), size)


# --------------------------------------------------------------------------
# Random assemblies, for a class-agnostic SAM
# --------------------------------------------------------------------------


def _random_polygon(rng: np.random.Generator) -> Polygon:
    """A random ellipse, bar, or bumpy blob inside the unit square."""
    kind = rng.choice(['ellipse', 'bar', 'blob', 'corner'])
    if kind == 'ellipse':
        shape = ellipse(0, 0, 1, rng.uniform(0.4, 1.0))
    elif kind == 'bar':
        slant = rng.uniform(-0.3, 0.3)
        half = rng.uniform(0.15, 1.0)
        shape = polygon_of(
            (-1, -half), (1, -half + slant), (1, half), (-1, half)
        )
    else:
        count = int(rng.integers(3, 9))
        angle: NDArray[np.floating]
        angle = np.sort(rng.uniform(0, 2 * math.pi, count))
        if kind == 'blob':
            angle = np.linspace(0, 2 * math.pi, 12, endpoint=False)
        radius = rng.uniform(0.6, 1.0, len(angle))
        shape = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    turn = rng.uniform(0, 2 * math.pi)
    cos, sin = math.cos(turn), math.sin(turn)
    return shape @ np.array([[cos, sin], [-sin, cos]])


def _area(polygon: Polygon) -> float:
    x, y = polygon.T
    return float(abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2)


def _random_colour(rng: np.random.Generator) -> HSV:
    return (rng.uniform(), rng.beta(1.2, 1.0), rng.uniform(0.12, 1.0))


def random_object_class(rng: np.random.Generator) -> ObjectClass:
    """Assemble a class nobody has seen from random parts and sub-parts.

    Some parts come in mirrored pairs, as wheels, legs and leaves do.
    """
    main = _random_colour(rng)
    parts: list[Part] = []
    for number in range(int(rng.integers(1, 6))):
        first = number == 0
        turn = rng.uniform(0, 2 * math.pi)
        reach = 0.0 if first else rng.uniform(0.3, 0.75)
        centre = reach * np.array([math.cos(turn), math.sin(turn)])
        size = rng.uniform(0.4, 0.75) if first else rng.uniform(0.12, 0.5)
        outline = _random_polygon(rng)
        while first and _area(outline) < 1.0:  # the body must be seen
            outline = _random_polygon(rng)
        colour = main if rng.uniform() < 0.5 else _random_colour(rng)
        part = Part(
            f'part{number}',
            outline * size + centre,
            colour,
            _random_details(rng, size, centre),
        )
        parts.append(part)
        if not first and rng.uniform() < 0.4:
            parts.append(_mirrored(part))
    order = rng.permutation(len(parts))
    return ObjectClass('assembly', tuple(parts[i] for i in order))


def _random_details(
    rng: np.random.Generator, size: float, centre: NDArray[np.float64]
) -> tuple[SubPart, ...]:
    return tuple(
        SubPart(
            'detail',
            _random_polygon(rng) * size * rng.uniform(0.2, 0.45)
            + centre
            + rng.uniform(-0.4, 0.4, 2) * size,
            _random_colour(rng),
        )
        for _ in range(int(rng.integers(0, 4)))
    )


def _mirrored(part: Part) -> Part:
    """Mirror a part to the other side, in its own colours."""
    flip = (-1.0, 1.0)
    details = tuple(
        SubPart(d.name, d.polygon * flip, d.colour) for d in part.subparts
    )
    return Part(part.name, part.polygon * flip, part.colour, details)


def render_assemblies(
    seed: int, index: int, size: tuple[int, int]
) -> DrawnScene:
    """Draw picture ``index`` of random assemblies; see :func:`render_scene`.

    ``object_classes`` is 0 for every object: assemblies have no class.
    """
    rng = np.random.default_rng([seed, index])
    count = int(rng.choice([1, 2, 3, 4], p=[0.3, 0.35, 0.25, 0.1]))
    things = [(0, random_object_class(rng)) for _ in range(count)]
    background = str(rng.choice(list(BACKGROUNDS)))
    return _render(rng, things, background, size)
