# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Build the objects of PartWorld: polygons, parts and colours.

Unit coordinates run from -1 to 1, x to the right and y downwards.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    'BLUE',
    'BROWN',
    'DARK',
    'GLASS',
    'GREEN',
    'GREY',
    'HSV',
    'METAL',
    'ORANGE',
    'PINK',
    'PURPLE',
    'RED',
    'TEAL',
    'WHITE',
    'YELLOW',
    'ObjectClass',
    'Part',
    'Polygon',
    'SubPart',
    'ellipse',
    'leg',
    'polygon_of',
    'rectangle',
    'wheel',
]

Polygon = NDArray[np.float64]  # (V, 2) in unit coordinates
HSV = tuple[float, float, float]  # hue 0..1, saturation 0..1, value 0..1


@dataclass(frozen=True)
class SubPart:
    """A detail on a part, such as the hub of a wheel."""

    name: str
    polygon: Polygon
    colour: HSV


@dataclass(frozen=True)
class Part:
    """A piece of an object, such as a wheel; ``twin`` parts share a name."""

    name: str
    polygon: Polygon
    colour: HSV
    subparts: tuple[SubPart, ...] = ()


@dataclass(frozen=True)
class ObjectClass:
    """A class of objects: its parts from back to front, and where it lives."""

    name: str
    parts: tuple[Part, ...]
    backgrounds: tuple[str, ...] = ()


GLASS: HSV = (0.55, 0.25, 0.95)
METAL: HSV = (0.6, 0.05, 0.75)
RED: HSV = (0.99, 0.85, 0.85)
BLUE: HSV = (0.61, 0.85, 0.8)
YELLOW: HSV = (0.14, 0.9, 0.95)
WHITE: HSV = (0.1, 0.04, 0.97)
BROWN: HSV = (0.07, 0.65, 0.5)
DARK: HSV = (0.7, 0.2, 0.2)
GREEN: HSV = (0.34, 0.8, 0.55)
ORANGE: HSV = (0.06, 0.9, 0.95)
PINK: HSV = (0.92, 0.5, 0.95)
PURPLE: HSV = (0.78, 0.6, 0.65)
TEAL: HSV = (0.49, 0.75, 0.65)
GREY: HSV = (0.6, 0.08, 0.55)


def rectangle(x0: float, y0: float, x1: float, y1: float) -> Polygon:
    """Span a rectangle between two corners."""
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64)


def ellipse(
    x: float, y: float, rx: float, ry: float, vertices: int = 24
) -> Polygon:
    """Approximate an ellipse around (x, y) by a polygon."""
    angle = np.linspace(0, 2 * math.pi, vertices, endpoint=False)
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def polygon_of(*corners: tuple[float, float]) -> Polygon:
    """Make a polygon of its corners (x, y)."""
    return np.array(corners, np.float64)


def wheel(x: float, y: float, radius: float, hub: HSV) -> Part:
    """Make a wheel with a hub."""
    return Part(
        'wheel',
        ellipse(x, y, radius, radius),
        (0.0, 0.05, 0.15),
        (SubPart('hub', ellipse(x, y, radius * 0.5, radius * 0.5), hub),),
    )


def leg(x: float, y0: float, y1: float, width: float, colour: HSV) -> Part:
    """Make a leg that stands on a darker foot."""
    foot = SubPart(
        'foot',
        rectangle(x - width, y1 - 0.14, x + width * 1.6, y1),
        (colour[0], colour[1], colour[2] * 0.45),
    )
    return Part(
        'leg', rectangle(x - width, y0, x + width, y1), colour, (foot,)
    )
