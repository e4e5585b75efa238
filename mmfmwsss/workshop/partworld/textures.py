# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Make the colours and textures that PartWorld is painted with."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from .shapes import HSV

__all__ = ['jitter', 'smooth_noise', 'texture', 'to_rgb']


def to_rgb(colour: HSV) -> NDArray[np.float32]:
    """Convert to red, green and blue, 0..255."""
    hue, saturation, value = colour
    bands = np.array([5.0, 3.0, 1.0]) + hue * 6.0
    k = np.mod(bands, 6.0)
    share = np.clip(np.minimum(k, 4.0 - k), 0.0, 1.0)
    return (255.0 * value * (1.0 - saturation * share)).astype(np.float32)


def jitter(
    rng: np.random.Generator, colour: HSV, hue: float, tone: float
) -> HSV:
    """Vary a colour by normal noise of these deviations."""
    return (
        (colour[0] + rng.normal(0, hue)) % 1.0,
        float(np.clip(colour[1] + rng.normal(0, tone), 0, 1)),
        float(np.clip(colour[2] + rng.normal(0, tone), 0.08, 1)),
    )


def smooth_noise(
    rng: np.random.Generator, height: int, width: int, cells: int
) -> NDArray[np.float32]:
    """Draw noise in -1..1 that varies over 1 / ``cells`` of a side, (H, W)."""
    grid = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
    size = (width, height)
    noise = cv2.resize(grid, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(noise, np.float32)


def texture(
    rng: np.random.Generator, kind: str, height: int, width: int
) -> NDArray[np.floating]:
    """Draw brightness offsets of a texture, about -1..1, (H, W)."""
    # Draw smooth noise, coarser or finer
    if kind == 'plain':
        return 0.3 * smooth_noise(rng, height, width, 3)
    if kind == 'cloud':
        return np.maximum(smooth_noise(rng, height, width, 5), 0)
    if kind == 'blob':
        return 0.9 * smooth_noise(rng, height, width, 12)
    # Draw noise of single pixels
    if kind == 'speckle':
        return rng.normal(0, 0.35, (height, width)).astype(np.float32)
    if kind == 'star':
        stars = rng.uniform(size=(height, width)) > 0.985
        return 2.5 * stars.astype(np.float32)
    # Draw what repeats
    return _periodic_texture(rng, kind, height, width)


def _periodic_texture(
    rng: np.random.Generator, kind: str, height: int, width: int
) -> NDArray[np.floating]:
    # Draw period and phase
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    period = rng.uniform(5, 9)
    phase = rng.uniform(0, 2 * math.pi)
    # Bend waves and blades by noise
    if kind == 'wave':
        bend = 2.5 * smooth_noise(rng, height, width, 6)
        return 0.6 * np.sin(2 * math.pi * y / period + bend + phase)
    if kind == 'blade':
        bend = 3.0 * smooth_noise(rng, height, width, 10)
        return 0.6 * np.sin(2 * math.pi * x / (0.6 * period) + bend + phase)
    # Draw straight stripes, boards and bricks
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
