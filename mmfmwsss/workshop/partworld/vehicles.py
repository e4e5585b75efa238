# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Define the vehicles of PartWorld by their parts, from back to front."""

from .shapes import (
    BLUE,
    BROWN,
    DARK,
    GLASS,
    GREEN,
    METAL,
    RED,
    TEAL,
    WHITE,
    YELLOW,
    ObjectClass,
    Part,
    SubPart,
    ellipse,
    polygon_of,
    rectangle,
    wheel,
)

__all__ = ['VEHICLES']

VEHICLES: tuple[ObjectClass, ...] = (
    ObjectClass(
        'car',
        (
            Part(
                'cabin',
                polygon_of(
                    (-0.5, -0.1), (-0.3, -0.55), (0.3, -0.55), (0.6, 0)
                ),
                RED,
                (
                    SubPart(
                        'window',
                        polygon_of(
                            (-0.36, -0.1),
                            (-0.22, -0.45),
                            (-0.02, -0.45),
                            (-0.02, -0.1),
                        ),
                        GLASS,
                    ),
                    SubPart(
                        'window',
                        polygon_of(
                            (0.06, -0.1),
                            (0.06, -0.45),
                            (0.25, -0.45),
                            (0.44, -0.1),
                        ),
                        GLASS,
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
                RED,
                (
                    SubPart('lamp', ellipse(0.85, 0.12, 0.1, 0.1), YELLOW),
                    SubPart(
                        'door',
                        rectangle(-0.1, 0.0, 0.32, 0.32),
                        (0.99, 0.85, 0.55),
                    ),
                ),
            ),
            wheel(-0.52, 0.42, 0.26, METAL),
            wheel(0.52, 0.42, 0.26, METAL),
        ),
        ('street', 'street', 'street', 'desert', 'meadow'),
    ),
    ObjectClass(
        'boat',
        (
            Part('mast', rectangle(-0.06, -0.95, 0.04, 0.3), BROWN),
            Part(
                'sail',
                polygon_of((0.08, -0.92), (0.8, 0.12), (0.08, 0.12)),
                WHITE,
                (
                    SubPart(
                        'stripe',
                        polygon_of(
                            (0.08, -0.35),
                            (0.47, -0.35),
                            (0.6, -0.15),
                            (0.08, -0.15),
                        ),
                        BLUE,
                    ),
                ),
            ),
            Part(
                'hull',
                polygon_of(
                    (-0.95, 0.25), (0.95, 0.25), (0.6, 0.75), (-0.6, 0.75)
                ),
                BLUE,
                (
                    SubPart(
                        'porthole', ellipse(-0.4, 0.48, 0.12, 0.12), WHITE
                    ),
                    SubPart('porthole', ellipse(0.0, 0.48, 0.12, 0.12), WHITE),
                    SubPart('porthole', ellipse(0.4, 0.48, 0.12, 0.12), WHITE),
                ),
            ),
        ),
        ('sea', 'sea', 'sea', 'sea', 'night'),
    ),
    ObjectClass(
        'train',
        (
            Part(
                'wagon',
                rectangle(-0.98, -0.3, -0.02, 0.35),
                GREEN,
                (
                    SubPart(
                        'window', rectangle(-0.86, -0.18, -0.6, 0.06), GLASS
                    ),
                    SubPart(
                        'window', rectangle(-0.42, -0.18, -0.16, 0.06), GLASS
                    ),
                ),
            ),
            Part(
                'chimney',
                polygon_of(
                    (0.55, -0.3), (0.5, -0.72), (0.82, -0.72), (0.77, -0.3)
                ),
                DARK,
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
                        'window', rectangle(0.14, -0.45, 0.34, -0.15), GLASS
                    ),
                ),
            ),
            wheel(-0.75, 0.42, 0.18, YELLOW),
            wheel(-0.28, 0.42, 0.18, YELLOW),
            wheel(0.28, 0.42, 0.18, YELLOW),
            wheel(0.72, 0.42, 0.18, YELLOW),
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
                TEAL,
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
                WHITE,
                (
                    SubPart(
                        'cockpit',
                        polygon_of((0.62, -0.14), (0.86, -0.05), (0.62, 0.02)),
                        GLASS,
                    ),
                    SubPart(
                        'stripe', rectangle(-0.6, -0.05, 0.45, 0.04), TEAL
                    ),
                ),
            ),
            Part(
                'wing',
                polygon_of(
                    (-0.15, 0.08), (0.25, 0.08), (-0.15, 0.72), (-0.4, 0.72)
                ),
                TEAL,
                (SubPart('engine', ellipse(0.0, 0.38, 0.17, 0.1), DARK),),
            ),
        ),
        ('night', 'night', 'sea', 'snow'),
    ),
)
