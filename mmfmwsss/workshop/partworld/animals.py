# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Define the animals of PartWorld by their parts, from back to front."""

from .shapes import (
    DARK,
    GREY,
    ORANGE,
    WHITE,
    YELLOW,
    ObjectClass,
    Part,
    SubPart,
    ellipse,
    leg,
    polygon_of,
)

__all__ = ['ANIMALS']

ANIMALS: tuple[ObjectClass, ...] = (
    ObjectClass(
        'bird',
        (
            Part(
                'tail',
                polygon_of((-0.45, 0.0), (-0.98, -0.3), (-0.9, 0.25)),
                (0.14, 0.9, 0.7),
            ),
            leg(-0.05, 0.35, 0.85, 0.05, ORANGE),
            leg(0.15, 0.35, 0.85, 0.05, ORANGE),
            Part('body', ellipse(-0.05, 0.1, 0.55, 0.38), YELLOW),
            Part(
                'wing',
                polygon_of(
                    (-0.45, -0.05), (0.2, -0.05), (0.0, 0.35), (-0.3, 0.3)
                ),
                (0.14, 0.95, 0.65),
                (SubPart('spot', ellipse(-0.1, 0.08, 0.13, 0.09), WHITE),),
            ),
            Part(
                'beak',
                polygon_of((0.75, -0.4), (1.0, -0.25), (0.72, -0.18)),
                ORANGE,
            ),
            Part(
                'head',
                ellipse(0.5, -0.3, 0.3, 0.28),
                YELLOW,
                (SubPart('eye', ellipse(0.58, -0.36, 0.09, 0.09), DARK),),
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
                ORANGE,
                (
                    SubPart(
                        'stripe',
                        polygon_of(
                            (-0.2, -0.38),
                            (-0.02, -0.41),
                            (-0.02, 0.41),
                            (-0.2, 0.38),
                        ),
                        WHITE,
                    ),
                    SubPart(
                        'stripe',
                        polygon_of(
                            (0.25, -0.41),
                            (0.42, -0.39),
                            (0.42, 0.39),
                            (0.25, 0.41),
                        ),
                        WHITE,
                    ),
                    SubPart('eye', ellipse(0.66, -0.1, 0.09, 0.09), DARK),
                ),
            ),
        ),
        ('sea', 'sea', 'sea', 'room'),
    ),
    ObjectClass(
        'cat',
        (
            Part(
                'tail',
                polygon_of(
                    (-0.55, 0.2), (-0.95, -0.45), (-0.8, -0.5), (-0.42, 0.05)
                ),
                GREY,
            ),
            leg(-0.42, 0.3, 0.88, 0.09, GREY),
            leg(0.28, 0.3, 0.88, 0.09, GREY),
            Part(
                'body',
                ellipse(-0.08, 0.22, 0.6, 0.33),
                GREY,
                (SubPart('patch', ellipse(-0.2, 0.12, 0.18, 0.14), WHITE),),
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
                GREY,
                (
                    SubPart('eye', ellipse(0.4, -0.28, 0.08, 0.09), YELLOW),
                    SubPart('eye', ellipse(0.68, -0.28, 0.08, 0.09), YELLOW),
                ),
            ),
        ),
        ('room', 'room', 'room', 'street'),
    ),
)
