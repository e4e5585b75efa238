# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeding: what every seeder takes and gives."""

from abc import ABC, abstractmethod

from torch import Tensor

from ...structures import SAMMasks
from ...utils import UserInputError

__all__ = ['BaseSeeder']


class BaseSeeder(ABC):
    """Turns the score maps of one image into a label map.

    Letters in the shapes: P classes present in the image, C foreground
    classes of the data set, S masks.
    """

    needs_masks: bool = False
    needs_image: bool = False

    @abstractmethod
    def __call__(
        self,
        cams: Tensor,
        classes: Tensor,
        masks: SAMMasks | None = None,
        image: Tensor | None = None,
    ) -> Tensor:
        """Make the seed of one image from its CAMs.

        Args:
            cams (Tensor): Signed, un-normalised activations of the present
                classes, (P, H, W).
            classes (Tensor): Their 0-based foreground indices, int64, (P,).
            masks (SAMMasks, optional): Masks of the image, (S, H, W).
            image (Tensor, optional): RGB, uint8, (H, W, 3).

        Returns:
            Tensor: 0 background, class + 1 elsewhere, uint8, (H, W).
        """

    @abstractmethod
    def refine(
        self,
        probabilities: Tensor,
        masks: SAMMasks | None = None,
        image: Tensor | None = None,
    ) -> Tensor:
        """Make the label map of one image from a network's probabilities.

        Args:
            probabilities (Tensor): Background first, (1 + C, H, W).
            masks (SAMMasks, optional): Masks of the image, (S, H, W).
            image (Tensor, optional): RGB, uint8, (H, W, 3).

        Returns:
            Tensor: Index of the channel that won, uint8, (H, W).
        """

    def _masks_for(self, maps: Tensor, masks: SAMMasks | None) -> SAMMasks:
        """Masks on the device of the maps, after a check of their size."""
        name = type(self).__name__
        if masks is None:
            raise UserInputError(
                f'{name} needs the masks of the image, got none. Add '
                "dict(type='LoadSAMMasks') to the pipeline, or make the masks "
                'first with tools/test.py configs/fmwsss/*_sam_masks.py.'
            )
        if tuple(masks.size) != tuple(maps.shape[-2:]):
            raise UserInputError(
                f'{name} expected masks of the size of the score maps, '
                f'{tuple(maps.shape[-2:])} (height, width), got '
                f'{tuple(masks.size)}. Make masks and maps from the same '
                'image, or resize the maps to it.'
            )
        return masks.to(maps.device)

    def _image_for(self, maps: Tensor, image: Tensor | None) -> Tensor:
        """The image on the device of the maps, after a check of its size."""
        name = type(self).__name__
        if image is None:
            raise UserInputError(
                f'{name} needs the RGB image (H, W, 3), got none. Give the '
                'image, or on the command line its folder with --images.'
            )
        expected = (*maps.shape[-2:], 3)
        if tuple(image.shape) != expected:
            raise UserInputError(
                f'{name} expected an image of shape {expected}, got '
                f'{tuple(image.shape)}. Resize the score maps to the image.'
            )
        return image.to(maps.device)
