# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What is made of one photo, and the masks that it is made with."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..models.masks.sam_mask_generator import MaskSource
from ..models.seeding import MaskDecisions
from ..structures import SAMMasks
from ..structures.mask_records import MaskInput, as_sam_masks
from ..utils import UserInputError

__all__ = ['GivenMasks', 'Image', 'PhotoSeed', 'find_masks']

Image = NDArray[np.uint8]  # RGB, (H, W, 3)


@dataclass
class PhotoSeed:
    """Hold all that was made of one photo.

    Attributes:
        tags (tuple[str, ...]): Of the P classes, in the order of the labels.
        scores (dict[str, float]): Best first. With tags given: of tags and
            backgrounds (Eq. 1); else of all names that were ranked.
        cams (Tensor): Maps of the tags, (P, H, W).
        masks (SAMMasks): S masks that SAMS classified; none where the route
            of a config has another seeder.
        decisions (MaskDecisions): Scores and winner of each mask.
        seed (Tensor): 0 background, else ``labels`` of the tags, uint8,
            (H, W).
        seconds (dict[str, float]): Of each step.
        labels (tuple[int, ...]): Of the tags in the seed. By default their
            places among the tags, from 1.
    """

    tags: tuple[str, ...]
    scores: dict[str, float]
    cams: Tensor
    masks: SAMMasks
    decisions: MaskDecisions
    seed: Tensor
    seconds: dict[str, float] = field(default_factory=dict)
    labels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Number the tags, unless they have labels of a data set."""
        self.labels = self.labels or tuple(range(1, len(self.tags) + 1))


class GivenMasks:
    """Stand in for a source of masks where all images come with theirs."""

    def __call__(self, image: Image) -> SAMMasks:
        """Refuse to make masks.

        Raises:
            UserInputError: Always.
        """
        del image
        raise UserInputError(
            'Expected the masks of the image, for there is nothing that makes '
            'them, but got none. Give `masks`, or a `mask_source`.'
        )

    def settings(self) -> dict[str, Any]:
        """Give what decides the masks: nothing here."""
        return {}


def find_masks(
    source: MaskSource, image: Image, given: MaskInput | None
) -> SAMMasks:
    """Take the masks of an image that are given, or make them.

    Args:
        source (MaskSource): Makes masks.
        image (ndarray): RGB, uint8, (H, W, 3).
        given (MaskInput, optional): In any form that :func:`as_sam_masks`
            takes.

    Returns:
        SAMMasks: On the CPU, like the maps of a photo.

    Raises:
        UserInputError: If they are of another size than the image.
    """
    if given is None:
        return source(image)
    # Take those that are given, if they are of this image.
    size = (image.shape[0], image.shape[1])
    masks = as_sam_masks(given, size).to('cpu')
    if masks.size != size:
        raise UserInputError(
            f'Expected masks of the size of the image, {size} (height, '
            f'width), but got {masks.size}. Are they of another image?'
        )
    return masks
