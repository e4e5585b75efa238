# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A source of masks that needs no network: Felzenszwalb's superpixels."""

from typing import Any

import numpy as np
import torch
from mmseg.registry import TASK_UTILS
from numpy.typing import NDArray

from ...structures import WHOLE, SAMMasks
from ...utils import UserInputError

__all__ = ['FelzenszwalbSuperpixels']


@TASK_UTILS.register_module()
class FelzenszwalbSuperpixels:
    """Cut an image into superpixels and offer each as a mask.

    They cover the image without overlap and all have one level, so that SAMS
    runs without SAM. After Felzenszwalb and Huttenlocher, *Efficient
    graph-based image segmentation*; needs scikit-image.

    Args:
        scale (float): The larger, the larger the superpixels. Default: 300.
        sigma (float): Width of the Gaussian blur before, pixels.
            Default: 0.8.
        min_size (int): Smaller superpixels are merged, pixels. Default: 100.
        level (int): Level of the masks. Default: 2, whole.

    Raises:
        UserInputError: If scikit-image is not installed.
    """

    def __init__(
        self,
        scale: float = 300.0,
        sigma: float = 0.8,
        min_size: int = 100,
        level: int = WHOLE,
    ) -> None:
        try:
            from skimage.segmentation import felzenszwalb
        except ImportError as error:
            raise UserInputError(
                'FelzenszwalbSuperpixels needs scikit-image, which is not '
                'installed. Run `pip install scikit-image`.'
            ) from error
        self._segment = felzenszwalb
        self.scale = scale
        self.sigma = sigma
        self.min_size = min_size
        self.level = level

    def settings(self) -> dict[str, Any]:
        """Give all that decides the masks, for the hash in the mask files."""
        return dict(
            scale=self.scale,
            sigma=self.sigma,
            min_size=self.min_size,
            level=self.level,
        )

    def __call__(self, image: NDArray[np.uint8]) -> SAMMasks:
        """Cut an RGB image into superpixels.

        Args:
            image (ndarray): uint8, (H, W, 3).

        Returns:
            SAMMasks: One mask a superpixel; the scores are 1.
        """
        # Number the superpixel of each pixel.
        regions = torch.from_numpy(
            self._segment(
                image,
                scale=self.scale,
                sigma=self.sigma,
                min_size=self.min_size,
            )
        )
        # Make each number a mask of the one level.
        numbers = torch.arange(int(regions.max()) + 1)
        return SAMMasks(
            masks=regions[None] == numbers[:, None, None],
            levels=torch.full_like(numbers, self.level),
            predicted_iou=torch.ones(len(numbers)),
            stability_score=torch.ones(len(numbers)),
        )
