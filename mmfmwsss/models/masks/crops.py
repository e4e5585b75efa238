# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Lay crops over an image and a grid of points over a crop."""

import math
from itertools import product

import numpy as np
import torch
from torch import Tensor

__all__ = ['Box', 'crop_boxes', 'point_grid']

Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels, end exclusive


def point_grid(points_per_side: int) -> Tensor:
    """Lay points in the middle of the cells of a grid, row by row.

    Args:
        points_per_side (int): Cells along each side of the unit square.

    Returns:
        Tensor: x and y in (0, 1), float64, (points_per_side^2, 2).
    """
    half = 1 / (2 * points_per_side)
    # numpy's, whose rounding is that of segment_anything's grid.
    line = torch.from_numpy(np.linspace(half, 1 - half, points_per_side))
    rows, columns = torch.meshgrid(line, line, indexing='ij')
    return torch.stack([columns, rows], dim=-1).reshape(-1, 2)


def crop_boxes(
    size: tuple[int, int], layers: int, overlap_ratio: float
) -> list[tuple[Box, int]]:
    """List the whole image, then 2 x 2, 4 x 4, ... crops that overlap.

    Args:
        size (tuple[int, int]): Height and width of the image in pixels.
        layers (int): Layers of crops beside the whole image.
        overlap_ratio (float): Overlap of the crops in the first layer, as a
            share of the image's shorter side; it halves with every layer.

    Returns:
        list[tuple[Box, int]]: Each crop and its layer, 0 the whole image.
    """
    height, width = size
    boxes = [((0, 0, width, height), 0)]
    for layer in range(1, layers + 1):
        # Halve the overlap from layer to layer.
        per_side = 2**layer
        overlap = int(overlap_ratio * min(size) * (2 / per_side))
        # Let the crops of a layer just cover the image.
        crop_width, crop_height = (
            math.ceil((overlap * (per_side - 1) + length) / per_side)
            for length in (width, height)
        )
        # Lay them column by column, cut off at the image's edge.
        for column, row in product(range(per_side), repeat=2):
            x = column * (crop_width - overlap)
            y = row * (crop_height - overlap)
            right = min(x + crop_width, width)
            bottom = min(y + crop_height, height)
            # A side of a pixel or two has fewer crops than asked for.
            if right > x and bottom > y:
                boxes.append(((x, y, right, bottom), layer))
    return boxes
