# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Draw random assemblies of parts, to train a class-agnostic SAM on."""

import math

import numpy as np
from numpy.typing import NDArray

from .drawing import DrawnScene, render
from .object_classes import BACKGROUNDS
from .shapes import (
    HSV,
    ObjectClass,
    Part,
    Polygon,
    SubPart,
    ellipse,
    polygon_of,
)

__all__ = ['random_object_class', 'render_assemblies']


def _random_polygon(rng: np.random.Generator) -> Polygon:
    """Draw a random ellipse, bar, or bumpy blob inside the unit square."""
    kind = rng.choice(['ellipse', 'bar', 'blob', 'corner'])
    # Draw an outline around the origin
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
    # Turn it
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
    # Draw the body first, then smaller parts around it
    for number in range(int(rng.integers(1, 6))):
        first = number == 0
        # Choose place, size and outline; the body is large and central
        turn = rng.uniform(0, 2 * math.pi)
        reach = 0.0 if first else rng.uniform(0.3, 0.75)
        centre = reach * np.array([math.cos(turn), math.sin(turn)])
        size = rng.uniform(0.4, 0.75) if first else rng.uniform(0.12, 0.5)
        outline = _random_polygon(rng)
        while first and _area(outline) < 1.0:  # the body must be seen
            outline = _random_polygon(rng)
        # Give every other part a colour of its own
        colour = main if rng.uniform() < 0.5 else _random_colour(rng)
        part = Part(
            f'part{number}',
            outline * size + centre,
            colour,
            _random_details(rng, size, centre),
        )
        parts.append(part)
        # Mirror some parts, as legs and wings come in pairs
        if not first and rng.uniform() < 0.4:
            parts.append(_mirrored(part))
    # Shuffle, for any part may cover any other
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
    return render(rng, things, background, size)
