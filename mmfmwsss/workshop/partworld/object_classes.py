# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Define how PartWorld looks: classes made of parts, and backgrounds.

Unit coordinates run from -1 to 1, x to the right and y downwards.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...structures.class_tables import CLASS_PROMPTS

__all__ = [
    'BACKGROUNDS',
    'CLASSES',
    'HSV',
    'PALETTE',
    'ObjectClass',
    'Part',
    'Polygon',
    'SubPart',
    'ellipse',
    'polygon_of',
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


# --------------------------------------------------------------------------
# Shapes in unit coordinates
# --------------------------------------------------------------------------


def rectangle(x0: float, y0: float, x1: float, y1: float) -> Polygon:
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64)


def ellipse(
    x: float, y: float, rx: float, ry: float, vertices: int = 24
) -> Polygon:
    """An ellipse around (x, y) as a polygon."""
    angle = np.linspace(0, 2 * math.pi, vertices, endpoint=False)
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def polygon_of(*corners: tuple[float, float]) -> Polygon:
    """A polygon from its corners (x, y)."""
    return np.array(corners, np.float64)


def _wheel(x: float, y: float, radius: float, hub: HSV) -> Part:
    return Part(
        'wheel',
        ellipse(x, y, radius, radius),
        (0.0, 0.05, 0.15),
        (SubPart('hub', ellipse(x, y, radius * 0.5, radius * 0.5), hub),),
    )


def _leg(x: float, y0: float, y1: float, width: float, colour: HSV) -> Part:
    foot = SubPart(
        'foot',
        rectangle(x - width, y1 - 0.14, x + width * 1.6, y1),
        (colour[0], colour[1], colour[2] * 0.45),
    )
    return Part(
        'leg', rectangle(x - width, y0, x + width, y1), colour, (foot,)
    )


_GLASS: HSV = (0.55, 0.25, 0.95)
_METAL: HSV = (0.6, 0.05, 0.75)
_RED: HSV = (0.99, 0.85, 0.85)
_BLUE: HSV = (0.61, 0.85, 0.8)
_YELLOW: HSV = (0.14, 0.9, 0.95)
_WHITE: HSV = (0.1, 0.04, 0.97)
_BROWN: HSV = (0.07, 0.65, 0.5)
_DARK: HSV = (0.7, 0.2, 0.2)
_GREEN: HSV = (0.34, 0.8, 0.55)
_ORANGE: HSV = (0.06, 0.9, 0.95)
_PINK: HSV = (0.92, 0.5, 0.95)
_PURPLE: HSV = (0.78, 0.6, 0.65)
_TEAL: HSV = (0.49, 0.75, 0.65)
_GREY: HSV = (0.6, 0.08, 0.55)


_CLASSES: tuple[ObjectClass, ...] = (
    ObjectClass(
        'car',
        (
            Part(
                'cabin',
                polygon_of(
                    (-0.5, -0.1), (-0.3, -0.55), (0.3, -0.55), (0.6, 0)
                ),
                _RED,
                (
                    SubPart(
                        'window',
                        polygon_of(
                            (-0.36, -0.1),
                            (-0.22, -0.45),
                            (-0.02, -0.45),
                            (-0.02, -0.1),
                        ),
                        _GLASS,
                    ),
                    SubPart(
                        'window',
                        polygon_of(
                            (0.06, -0.1),
                            (0.06, -0.45),
                            (0.25, -0.45),
                            (0.44, -0.1),
                        ),
                        _GLASS,
                    ),
                ),
            ),
            Part(
                'body',
                polygon_of(
                    (-0.95, -0.1),
                    (0.75, -0.1),
                    (0.97, 0.1),
                    (0.97, 0.4),
                    (-0.97, 0.4),
                ),
                _RED,
                (
                    SubPart('lamp', ellipse(0.85, 0.12, 0.1, 0.1), _YELLOW),
                    SubPart(
                        'door',
                        rectangle(-0.1, 0.0, 0.32, 0.32),
                        (0.99, 0.85, 0.55),
                    ),
                ),
            ),
            _wheel(-0.52, 0.42, 0.26, _METAL),
            _wheel(0.52, 0.42, 0.26, _METAL),
        ),
        ('street', 'street', 'street', 'desert', 'meadow'),
    ),
    ObjectClass(
        'boat',
        (
            Part('mast', rectangle(-0.06, -0.95, 0.04, 0.3), _BROWN),
            Part(
                'sail',
                polygon_of((0.08, -0.92), (0.8, 0.12), (0.08, 0.12)),
                _WHITE,
                (
                    SubPart(
                        'stripe',
                        polygon_of(
                            (0.08, -0.35),
                            (0.47, -0.35),
                            (0.6, -0.15),
                            (0.08, -0.15),
                        ),
                        _BLUE,
                    ),
                ),
            ),
            Part(
                'hull',
                polygon_of(
                    (-0.95, 0.25), (0.95, 0.25), (0.6, 0.75), (-0.6, 0.75)
                ),
                _BLUE,
                (
                    SubPart(
                        'porthole', ellipse(-0.4, 0.48, 0.12, 0.12), _WHITE
                    ),
                    SubPart(
                        'porthole', ellipse(0.0, 0.48, 0.12, 0.12), _WHITE
                    ),
                    SubPart(
                        'porthole', ellipse(0.4, 0.48, 0.12, 0.12), _WHITE
                    ),
                ),
            ),
        ),
        ('sea', 'sea', 'sea', 'sea', 'night'),
    ),
    ObjectClass(
        'bird',
        (
            Part(
                'tail',
                polygon_of((-0.45, 0.0), (-0.98, -0.3), (-0.9, 0.25)),
                (0.14, 0.9, 0.7),
            ),
            _leg(-0.05, 0.35, 0.85, 0.05, _ORANGE),
            _leg(0.15, 0.35, 0.85, 0.05, _ORANGE),
            Part('body', ellipse(-0.05, 0.1, 0.55, 0.38), _YELLOW),
            Part(
                'wing',
                polygon_of(
                    (-0.45, -0.05), (0.2, -0.05), (0.0, 0.35), (-0.3, 0.3)
                ),
                (0.14, 0.95, 0.65),
                (SubPart('spot', ellipse(-0.1, 0.08, 0.13, 0.09), _WHITE),),
            ),
            Part(
                'beak',
                polygon_of((0.75, -0.4), (1.0, -0.25), (0.72, -0.18)),
                _ORANGE,
            ),
            Part(
                'head',
                ellipse(0.5, -0.3, 0.3, 0.28),
                _YELLOW,
                (SubPart('eye', ellipse(0.58, -0.36, 0.09, 0.09), _DARK),),
            ),
        ),
        ('forest', 'forest', 'meadow', 'meadow', 'snow'),
    ),
    ObjectClass(
        'fish',
        (
            Part(
                'tail',
                polygon_of(
                    (-0.45, 0.0), (-0.98, -0.42), (-0.8, 0.0), (-0.98, 0.42)
                ),
                (0.06, 0.9, 0.7),
            ),
            Part(
                'fin',
                polygon_of((-0.2, -0.3), (0.1, -0.65), (0.35, -0.28)),
                (0.06, 0.9, 0.7),
            ),
            Part(
                'body',
                ellipse(0.15, 0.0, 0.78, 0.42),
                _ORANGE,
                (
                    SubPart(
                        'stripe',
                        polygon_of(
                            (-0.2, -0.38),
                            (-0.02, -0.41),
                            (-0.02, 0.41),
                            (-0.2, 0.38),
                        ),
                        _WHITE,
                    ),
                    SubPart(
                        'stripe',
                        polygon_of(
                            (0.25, -0.41),
                            (0.42, -0.39),
                            (0.42, 0.39),
                            (0.25, 0.41),
                        ),
                        _WHITE,
                    ),
                    SubPart('eye', ellipse(0.66, -0.1, 0.09, 0.09), _DARK),
                ),
            ),
        ),
        ('sea', 'sea', 'sea', 'room'),
    ),
    ObjectClass(
        'house',
        (
            Part(
                'chimney',
                rectangle(0.38, -0.85, 0.58, -0.2),
                (0.02, 0.6, 0.45),
            ),
            Part(
                'wall',
                rectangle(-0.72, -0.15, 0.72, 0.85),
                (0.1, 0.25, 0.9),
                (
                    SubPart('door', rectangle(-0.15, 0.3, 0.17, 0.85), _BROWN),
                    SubPart(
                        'window', rectangle(-0.58, 0.05, -0.28, 0.35), _GLASS
                    ),
                    SubPart(
                        'window', rectangle(0.28, 0.05, 0.58, 0.35), _GLASS
                    ),
                ),
            ),
            Part(
                'roof',
                polygon_of((-0.95, -0.12), (0.0, -0.9), (0.95, -0.12)),
                (0.02, 0.75, 0.6),
                (
                    SubPart(
                        'skylight', ellipse(0.0, -0.42, 0.17, 0.17), _GLASS
                    ),
                ),
            ),
        ),
        ('meadow', 'meadow', 'snow', 'snow', 'forest'),
    ),
    ObjectClass(
        'tree',
        (
            Part(
                'trunk',
                polygon_of(
                    (-0.15, 0.1), (0.15, 0.1), (0.22, 0.95), (-0.22, 0.95)
                ),
                _BROWN,
                (
                    SubPart(
                        'hollow',
                        ellipse(0.0, 0.6, 0.09, 0.13),
                        (0.07, 0.6, 0.2),
                    ),
                ),
            ),
            Part(
                'crown',
                np.concatenate(
                    [
                        ellipse(0.0, -0.35, 0.72, 0.6),
                    ]
                ),
                _GREEN,
                (
                    SubPart('fruit', ellipse(-0.3, -0.4, 0.13, 0.13), _RED),
                    SubPart('fruit', ellipse(0.15, -0.6, 0.13, 0.13), _RED),
                    SubPart('fruit', ellipse(0.32, -0.12, 0.13, 0.13), _RED),
                ),
            ),
        ),
        ('meadow', 'meadow', 'forest', 'desert'),
    ),
    ObjectClass(
        'flower',
        (
            Part('stem', rectangle(-0.06, 0.0, 0.06, 0.98), (0.3, 0.8, 0.5)),
            Part(
                'leaf',
                polygon_of((0.05, 0.75), (0.55, 0.35), (0.4, 0.75)),
                (0.3, 0.8, 0.55),
            ),
            Part(
                'leaf',
                polygon_of((-0.05, 0.85), (-0.55, 0.45), (-0.42, 0.85)),
                (0.3, 0.8, 0.55),
            ),
            Part(
                'blossom',
                np.array(
                    [
                        [
                            r * math.cos(2 * math.pi * k / 12),
                            -0.4 + r * math.sin(2 * math.pi * k / 12),
                        ]
                        for k, r in enumerate([0.58, 0.36] * 6)
                    ]
                ),
                _PINK,
                (SubPart('centre', ellipse(0.0, -0.4, 0.22, 0.22), _YELLOW),),
            ),
        ),
        ('meadow', 'meadow', 'room', 'room'),
    ),
    ObjectClass(
        'cat',
        (
            Part(
                'tail',
                polygon_of(
                    (-0.55, 0.2), (-0.95, -0.45), (-0.8, -0.5), (-0.42, 0.05)
                ),
                _GREY,
            ),
            _leg(-0.42, 0.3, 0.88, 0.09, _GREY),
            _leg(0.28, 0.3, 0.88, 0.09, _GREY),
            Part(
                'body',
                ellipse(-0.08, 0.22, 0.6, 0.33),
                _GREY,
                (SubPart('patch', ellipse(-0.2, 0.12, 0.18, 0.14), _WHITE),),
            ),
            Part(
                'head',
                polygon_of(
                    (0.22, -0.75),
                    (0.42, -0.5),
                    (0.66, -0.5),
                    (0.86, -0.75),
                    (0.9, -0.2),
                    (0.54, 0.08),
                    (0.2, -0.2),
                ),
                _GREY,
                (
                    SubPart('eye', ellipse(0.4, -0.28, 0.08, 0.09), _YELLOW),
                    SubPart('eye', ellipse(0.68, -0.28, 0.08, 0.09), _YELLOW),
                ),
            ),
        ),
        ('room', 'room', 'room', 'street'),
    ),
    ObjectClass(
        'train',
        (
            Part(
                'wagon',
                rectangle(-0.98, -0.3, -0.02, 0.35),
                _GREEN,
                (
                    SubPart(
                        'window', rectangle(-0.86, -0.18, -0.6, 0.06), _GLASS
                    ),
                    SubPart(
                        'window', rectangle(-0.42, -0.18, -0.16, 0.06), _GLASS
                    ),
                ),
            ),
            Part(
                'chimney',
                polygon_of(
                    (0.55, -0.3), (0.5, -0.72), (0.82, -0.72), (0.77, -0.3)
                ),
                _DARK,
            ),
            Part(
                'engine',
                polygon_of(
                    (0.06, -0.55),
                    (0.42, -0.55),
                    (0.42, -0.3),
                    (0.98, -0.3),
                    (0.98, 0.35),
                    (0.06, 0.35),
                ),
                (0.34, 0.7, 0.35),
                (
                    SubPart(
                        'window', rectangle(0.14, -0.45, 0.34, -0.15), _GLASS
                    ),
                ),
            ),
            _wheel(-0.75, 0.42, 0.18, _YELLOW),
            _wheel(-0.28, 0.42, 0.18, _YELLOW),
            _wheel(0.28, 0.42, 0.18, _YELLOW),
            _wheel(0.72, 0.42, 0.18, _YELLOW),
        ),
        ('desert', 'desert', 'desert', 'snow', 'night'),
    ),
    ObjectClass(
        'plane',
        (
            Part(
                'tail',
                polygon_of(
                    (-0.95, -0.65), (-0.65, -0.6), (-0.45, -0.1), (-0.9, -0.08)
                ),
                _TEAL,
            ),
            Part(
                'fuselage',
                polygon_of(
                    (-0.98, -0.12),
                    (0.6, -0.18),
                    (0.92, -0.05),
                    (0.98, 0.08),
                    (0.7, 0.2),
                    (-0.75, 0.15),
                ),
                _WHITE,
                (
                    SubPart(
                        'cockpit',
                        polygon_of((0.62, -0.14), (0.86, -0.05), (0.62, 0.02)),
                        _GLASS,
                    ),
                    SubPart(
                        'stripe', rectangle(-0.6, -0.05, 0.45, 0.04), _TEAL
                    ),
                ),
            ),
            Part(
                'wing',
                polygon_of(
                    (-0.15, 0.08), (0.25, 0.08), (-0.15, 0.72), (-0.4, 0.72)
                ),
                _TEAL,
                (SubPart('engine', ellipse(0.0, 0.38, 0.17, 0.1), _DARK),),
            ),
        ),
        ('night', 'night', 'sea', 'snow'),
    ),
    ObjectClass(
        'lamp',
        (
            Part('pole', rectangle(-0.06, -0.2, 0.06, 0.85), _METAL),
            Part(
                'base',
                polygon_of(
                    (-0.4, 0.95), (-0.25, 0.75), (0.25, 0.75), (0.4, 0.95)
                ),
                (0.78, 0.3, 0.3),
            ),
            Part(
                'shade',
                polygon_of(
                    (-0.35, -0.9), (0.35, -0.9), (0.65, -0.15), (-0.65, -0.15)
                ),
                _PURPLE,
                (
                    SubPart(
                        'band',
                        polygon_of(
                            (-0.57, -0.35),
                            (0.57, -0.35),
                            (0.65, -0.15),
                            (-0.65, -0.15),
                        ),
                        _YELLOW,
                    ),
                ),
            ),
        ),
        ('room', 'room', 'room', 'night'),
    ),
    ObjectClass(
        'mushroom',
        (
            Part(
                'stalk',
                polygon_of(
                    (-0.22, 0.0), (0.22, 0.0), (0.32, 0.9), (-0.32, 0.9)
                ),
                (0.12, 0.15, 0.92),
                (
                    SubPart(
                        'ring',
                        rectangle(-0.3, 0.3, 0.3, 0.45),
                        (0.1, 0.4, 0.7),
                    ),
                ),
            ),
            Part(
                'cap',
                polygon_of(
                    (-0.9, 0.1),
                    (-0.8, -0.35),
                    (-0.45, -0.7),
                    (0.0, -0.82),
                    (0.45, -0.7),
                    (0.8, -0.35),
                    (0.9, 0.1),
                ),
                (0.96, 0.85, 0.65),
                (
                    SubPart('dot', ellipse(-0.4, -0.25, 0.16, 0.14), _WHITE),
                    SubPart('dot', ellipse(0.1, -0.5, 0.16, 0.14), _WHITE),
                    SubPart('dot', ellipse(0.45, -0.15, 0.16, 0.14), _WHITE),
                ),
            ),
        ),
        ('forest', 'forest', 'forest', 'meadow'),
    ),
)

# Upper band, lower band: (colour, texture) each.
_Band = tuple[HSV, str]
_BACKGROUNDS: dict[str, tuple[_Band, _Band]] = {
    'sea': (((0.55, 0.35, 0.92), 'cloud'), ((0.57, 0.7, 0.6), 'wave')),
    'meadow': (((0.56, 0.4, 0.95), 'cloud'), ((0.27, 0.6, 0.65), 'blade')),
    'street': (((0.04, 0.45, 0.6), 'brick'), ((0.65, 0.06, 0.42), 'speckle')),
    'desert': (((0.12, 0.2, 0.95), 'plain'), ((0.11, 0.5, 0.85), 'wave')),
    'room': (((0.13, 0.2, 0.85), 'stripe'), ((0.08, 0.5, 0.6), 'board')),
    'snow': (((0.6, 0.12, 0.75), 'cloud'), ((0.58, 0.05, 0.95), 'speckle')),
    'forest': (((0.36, 0.55, 0.3), 'blob'), ((0.08, 0.45, 0.35), 'speckle')),
    'night': (((0.66, 0.6, 0.2), 'star'), ((0.6, 0.3, 0.25), 'blade')),
}

# Their order, that of label values and of draws by chance, is the asset's.
_NAMES = CLASS_PROMPTS['partworld']
CLASSES = tuple(
    next(drawn for drawn in _CLASSES if drawn.name == name)
    for name in _NAMES.classes
)
BACKGROUNDS = {name: _BACKGROUNDS[name] for name in _NAMES.background}
PALETTE = [list(colour) for colour in _NAMES.palette]
