# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The colour jitter that the official code trains prompts with."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmseg.registry import TRANSFORMS
from numpy.typing import NDArray

__all__ = ['RandomColourJitter']

Array = NDArray[Any]
_HUE, _SATURATION = 0, 1  # channels of HSV


@TRANSFORMS.register_module()
class RandomColourJitter(BaseTransform):
    """Change brightness, contrast, saturation and hue, in a random order.

    Each change is made with probability ``prob`` and rounded to 8 bits at
    once. The defaults are the official code's.

    Args:
        brightness_delta (float): Most that is added to, or taken from, the
            pixels, in grey levels.
        contrast_range (tuple[float, float]): Factor of the pixels.
        saturation_range (tuple[float, float]): Factor of HSV's saturation.
        hue_delta (float): Most that is added to, or taken from, the hue, with
            256 for the whole circle.
        prob (float): Probability of each change.
        official (bool): Behave like FMA-WSSS's code: take the absolute value
            of what falls below 0, and cut hues at the ends of the circle.
            Else pixels stop at black, and hues go round.

    Raises:
        ValueError: If a range is not in order, or a setting is negative.
    """

    def __init__(
        self,
        brightness_delta: float = 25.0,
        contrast_range: tuple[float, float] = (0.6, 1.4),
        saturation_range: tuple[float, float] = (0.5, 1.5),
        hue_delta: float = 25.0,
        prob: float = 0.5,
        official: bool = False,
    ) -> None:
        # Check the ranges before hours of training
        for name, (low, high) in (
            ('contrast_range', contrast_range),
            ('saturation_range', saturation_range),
            ('brightness_delta', (0.0, brightness_delta)),
            ('hue_delta', (0.0, hue_delta)),
        ):
            if not 0 <= low <= high:
                raise ValueError(
                    f'Expected `{name}` to be 0 or more and in order, but got '
                    f'{(low, high)}.'
                )
        if not 0 <= prob <= 1:
            raise ValueError(f'Expected `prob` in 0..1, but got {prob}.')
        self.brightness_delta = brightness_delta
        self.contrast_range = contrast_range
        self.saturation_range = saturation_range
        self.hue_delta = hue_delta
        self.prob = prob
        self.official = official

    @cache_randomness
    def _draw(self) -> list[tuple[str, float]]:
        """Draw the changes to make, in order, each with its amount."""
        ranges = {
            'brightness': (-self.brightness_delta, self.brightness_delta),
            'contrast': self.contrast_range,
            'saturation': self.saturation_range,
            'hue': (-self.hue_delta, self.hue_delta),
        }
        names = list(ranges)
        return [
            (names[i], float(np.random.uniform(*ranges[names[i]])))
            for i in np.random.permutation(len(names))
            if np.random.random() < self.prob
        ]

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Change ``img``, uint8 BGR of (H, W, 3)."""
        # Tell how to make each change
        changes: dict[str, Callable[[Array, float], Array]] = {
            'brightness': lambda image, amount: self._linear(image, 1, amount),
            'contrast': lambda image, amount: self._linear(image, amount, 0),
            'saturation': self._scale_saturation,
            'hue': self._shift_hue,
        }
        # Make the drawn changes, in the drawn order
        image = results['img']
        for name, amount in self._draw():
            image = changes[name](image, amount)
        results['img'] = image
        return results

    def _linear(self, values: Array, factor: float, offset: float) -> Array:
        """Compute ``factor * values + offset`` in 8 bits."""
        if self.official:
            return cv2.convertScaleAbs(values, alpha=factor, beta=offset)
        changed = np.rint(factor * values.astype(np.float32) + offset)
        return changed.clip(0, 255).astype(np.uint8)

    def _scale_saturation(self, image: Array, factor: float) -> Array:
        # Here the official code keeps the hue in 180 steps, below in 256.
        hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
        saturation = np.ascontiguousarray(hsv[..., _SATURATION])
        hsv[..., _SATURATION] = self._linear(saturation, factor, 0)
        return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)

    def _shift_hue(self, image: Array, offset: float) -> Array:
        # Take the hue out, in 256 steps a circle
        hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV_FULL)
        hue = np.ascontiguousarray(hsv[..., _HUE])
        # Clip it as the official code does, or go round the circle
        if self.official:
            hsv[..., _HUE] = self._linear(hue, 1, offset)
        else:
            shifted = np.rint(hue.astype(np.float32) + offset)
            hsv[..., _HUE] = (shifted % 256).astype(np.uint8)
        return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR_FULL)

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}('
            f'brightness_delta={self.brightness_delta}, '
            f'contrast_range={self.contrast_range}, '
            f'saturation_range={self.saturation_range}, '
            f'hue_delta={self.hue_delta}, prob={self.prob}, '
            f'official={self.official})'
        )
