# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Masks that the tests of the inferencer share."""

import numpy as np
import pytest
import torch

from mmfmwsss.models.masks.sam_mask_generator import MaskSource
from mmfmwsss.structures import WHOLE, SAMMasks


class HalfMasks:
    """Left and right half, whole masks."""

    def __call__(self, image: np.ndarray) -> SAMMasks:
        masks = torch.zeros(2, *image.shape[:2], dtype=torch.bool)
        middle = image.shape[1] // 2
        masks[0, :, :middle] = True
        masks[1, :, middle:] = True
        ones = torch.ones(2)
        return SAMMasks(masks, torch.tensor([WHOLE, WHOLE]), ones, ones)

    def settings(self) -> dict[str, object]:
        return {}


@pytest.fixture(scope='session')
def half_masks() -> MaskSource:
    """A source that needs no network."""
    return HalfMasks()
