# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The photo of a data sample, for seeders that look at colours."""

from typing import cast

import torch
from mmseg.structures import SegDataSample
from torch import Tensor

from ...utils import UserInputError
from ...utils.photos import read_rgb

__all__ = ['load_rgb']


def load_rgb(sample: SegDataSample) -> Tensor:
    """Read the photo of a sample as the pipelines do.

    Args:
        sample (SegDataSample): With ``original_image``, a photo that came as
            an array, RGB, uint8, (H, W, 3); or with ``img_path``.

    Returns:
        Tensor: RGB, uint8, (H, W, 3).

    Raises:
        UserInputError: If there is no path, or no picture.
    """
    if 'original_image' in sample:
        return cast(Tensor, sample.original_image)
    path = sample.get('img_path')
    if path is None:
        raise UserInputError(
            'The refiner looks at the image and expected its `img_path` in '
            'the meta information, got none. Add it to the meta_keys.'
        )
    return torch.from_numpy(read_rgb(path))
