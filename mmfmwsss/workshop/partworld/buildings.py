# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Define the house and the lamp of PartWorld, from back to front."""

from .shapes import (
    BROWN,
    GLASS,
    METAL,
    PURPLE,
    YELLOW,
    ObjectClass,
    Part,
    SubPart,
    ellipse,
    polygon_of,
    rectangle,
)

__all__ = ['BUILDINGS']

BUILDINGS: tuple[ObjectClass, ...] = (
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
                    SubPart('door', rectangle(-0.15, 0.3, 0.17, 0.85), BROWN),
                    SubPart(
                        'window', rectangle(-0.58, 0.05, -0.28, 0.35), GLASS
                    ),
                    SubPart(
                        'window', rectangle(0.28, 0.05, 0.58, 0.35), GLASS
                    ),
                ),
            ),
            Part(
                'roof',
                polygon_of((-0.95, -0.12), (0.0, -0.9), (0.95, -0.12)),
                (0.02, 0.75, 0.6),
                (SubPart('skylight', ellipse(0.0, -0.42, 0.17, 0.17), GLASS),),
            ),
        ),
        ('meadow', 'meadow', 'snow', 'snow', 'forest'),
    ),
    ObjectClass(
        'lamp',
        (
            Part('pole', rectangle(-0.06, -0.2, 0.06, 0.85), METAL),
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
                PURPLE,
                (
                    SubPart(
                        'band',
                        polygon_of(
                            (-0.57, -0.35),
                            (0.57, -0.35),
                            (0.65, -0.15),
                            (-0.65, -0.15),
                        ),
                        YELLOW,
                    ),
                ),
            ),
        ),
        ('room', 'room', 'room', 'night'),
    ),
)
