# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Define the plants of PartWorld by their parts, from back to front."""

import math

import numpy as np

from .shapes import (
    BROWN,
    GREEN,
    PINK,
    RED,
    WHITE,
    YELLOW,
    ObjectClass,
    Part,
    SubPart,
    ellipse,
    polygon_of,
    rectangle,
)

__all__ = ['PLANTS']

PLANTS: tuple[ObjectClass, ...] = (
    ObjectClass(
        'tree',
        (
            Part(
                'trunk',
                polygon_of(
                    (-0.15, 0.1), (0.15, 0.1), (0.22, 0.95), (-0.22, 0.95)
                ),
                BROWN,
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
                GREEN,
                (
                    SubPart('fruit', ellipse(-0.3, -0.4, 0.13, 0.13), RED),
                    SubPart('fruit', ellipse(0.15, -0.6, 0.13, 0.13), RED),
                    SubPart('fruit', ellipse(0.32, -0.12, 0.13, 0.13), RED),
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
                PINK,
                (SubPart('centre', ellipse(0.0, -0.4, 0.22, 0.22), YELLOW),),
            ),
        ),
        ('meadow', 'meadow', 'room', 'room'),
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
                    SubPart('dot', ellipse(-0.4, -0.25, 0.16, 0.14), WHITE),
                    SubPart('dot', ellipse(0.1, -0.5, 0.16, 0.14), WHITE),
                    SubPart('dot', ellipse(0.45, -0.15, 0.16, 0.14), WHITE),
                ),
            ),
        ),
        ('forest', 'forest', 'forest', 'meadow'),
    ),
)
