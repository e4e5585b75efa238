# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Resize and crop a picture together with its label map and SAM masks."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmseg.registry import TRANSFORMS
from numpy.typing import NDArray

from ...utils.labels import IGNORE_LABEL
from .resizing import resize_bicubic, resize_nearest

__all__ = [
    'RandomCropWithMasks',
    'RandomLongSideResize',
    'ResizeToPatchMultiple',
]

Array = NDArray[Any]


def _resize(results: dict[str, Any], size: tuple[int, int]) -> None:
    """Resize the image and all ``seg_fields`` to ``size`` (H, W)."""
    # Resize the image smoothly, and label maps without new labels
    height, width = results['img'].shape[:2]
    if (height, width) != size:
        results['img'] = resize_bicubic(results['img'], size)
        for key in results.get('seg_fields', []):
            results[key] = resize_nearest(results[key], size)
    # Record the change, as mmseg's own transforms do
    results['scale'] = (size[1], size[0])
    results['scale_factor'] = (size[1] / width, size[0] / height)
    results['keep_ratio'] = False
    results['img_shape'] = results['pad_shape'] = size


@TRANSFORMS.register_module()
class ResizeToPatchMultiple(BaseTransform):
    """Round each side up to a multiple of the ViT's patch, bicubic.

    The sides are rounded independently, so that the aspect changes by less
    than a patch, as in CLIP-ES and FMA-WSSS.

    Args:
        patch_size (int): Side of a patch in pixels.

    Raises:
        ValueError: If ``patch_size`` is not positive.
    """

    def __init__(self, patch_size: int) -> None:
        if patch_size < 1:
            raise ValueError(
                f'Expected patch_size >= 1, but got {patch_size}.'
            )
        self.patch_size = patch_size

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Resize ``img`` and the arrays named in ``seg_fields``."""
        height, width = (
            -(-side // self.patch_size) * self.patch_size
            for side in results['img'].shape[:2]
        )
        _resize(results, (height, width))
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(patch_size={self.patch_size})'


@TRANSFORMS.register_module()
class RandomLongSideResize(BaseTransform):
    """Give the long side a random length, and keep the aspect.

    A whole number T is drawn from [``low``, ``high``]; the image is scaled by
    max(T / long side, ``min_short`` / short side), as the official code does
    ('rand_range').

    Args:
        low (int): Least length of the long side in pixels.
        high (int): Greatest length of the long side in pixels.
        min_short (int): Least length of the short side in pixels, the size of
            the following crop.

    Raises:
        ValueError: If not 1 <= ``low`` <= ``high`` or ``min_short`` < 1.
    """

    def __init__(self, *, low: int, high: int, min_short: int) -> None:
        if not 1 <= low <= high or min_short < 1:
            raise ValueError(
                'Expected 1 <= low <= high and min_short >= 1, but got '
                f'low={low}, high={high}, min_short={min_short}.'
            )
        self.low = low
        self.high = high
        self.min_short = min_short

    @cache_randomness
    def _draw(self) -> int:
        return int(np.random.randint(self.low, self.high + 1))

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Resize ``img`` and the arrays named in ``seg_fields``."""
        # Scale the longer side, but keep the shorter one from vanishing
        height, width = results['img'].shape[:2]
        ratio = max(
            self._draw() / max(height, width),
            self.min_short / min(height, width),
        )
        # Resize the image and what belongs to it
        size = (round(height * ratio), round(width * ratio))
        _resize(results, size)
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(low={self.low}, high={self.high}, '
            f'min_short={self.min_short})'
        )


@TRANSFORMS.register_module()
class RandomCropWithMasks(BaseTransform):
    """Crop at random; pad at the right and below where the image is smaller.

    Args:
        crop_size (int | tuple[int, int]): Side, or (H, W), in pixels.
        pad_value (tuple[int, int, int]): BGR of padded pixels. Default: CLIP's
            mean colour, so that padding is zero after normalisation.
        ignore_index (int): Label of padded pixels. Default: 255.

    Padded pixels are in no SAM mask.
    """

    def __init__(
        self,
        crop_size: int | tuple[int, int],
        pad_value: tuple[int, int, int] = (104, 117, 123),
        ignore_index: int = IGNORE_LABEL,
    ) -> None:
        # Read one number as a square
        if isinstance(crop_size, int):
            crop_size = (crop_size, crop_size)
        if min(crop_size) < 1:
            raise ValueError(f'Expected crop_size >= 1, but got {crop_size}.')
        self.crop_size = (int(crop_size[0]), int(crop_size[1]))
        self.pad_value = pad_value
        self.ignore_index = ignore_index

    @cache_randomness
    def _draw(self, height: int, width: int) -> tuple[int, int]:
        """Draw the upper left corner of the crop."""
        spare = (height - self.crop_size[0], width - self.crop_size[1])
        y, x = (int(np.random.randint(0, max(s, 0) + 1)) for s in spare)
        return y, x

    def _crop(self, array: Array, corner: tuple[int, int], pad: Any) -> Array:
        # Cut the piece out, which is smaller at the image's borders
        height, width = self.crop_size
        y, x = corner
        piece = array[y : y + height, x : x + width]
        if piece.shape[:2] == self.crop_size:
            return np.ascontiguousarray(piece)
        # Fill what is missing with padding, to the lower right
        canvas = np.empty((height, width, *array.shape[2:]), array.dtype)
        canvas[...] = pad
        canvas[: piece.shape[0], : piece.shape[1]] = piece
        return canvas

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Crop ``img`` and the arrays named in ``seg_fields``."""
        # Cut image, label maps and mask planes at one place
        corner = self._draw(*results['img'].shape[:2])
        results['img'] = self._crop(results['img'], corner, self.pad_value)
        for key in results.get('seg_fields', []):
            pad = 0 if key == 'sam_mask_planes' else self.ignore_index
            results[key] = self._crop(results[key], corner, pad)
        results['img_shape'] = results['pad_shape'] = self.crop_size
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(crop_size={self.crop_size})'
