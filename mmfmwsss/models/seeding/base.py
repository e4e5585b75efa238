# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeding: the interface of all seeders, which checks their input once."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from ...structures import SAMMasks
from .checks import (
    check_channels,
    check_classes,
    check_image,
    check_maps,
    check_masks,
)

__all__ = ['BaseSeeder']


class BaseSeeder(ABC):
    """Turn the score maps of one image into a label map.

    A seeder is called with :meth:`__call__` or :meth:`refine`, which refuse
    what does not fit, alike for all. One that starts from the scores of
    pixels implements the single method of
    :class:`~.argmax.PixelScoreSeeder`; another one :meth:`_seed` and
    :meth:`_refine`.

    Letters in the shapes: P classes present in the image, C foreground
    classes of the data set, S masks, H W pixels.

    Attributes:
        needs_masks (bool): Refuse to run without masks, and see them.
        needs_image (bool): Refuse to run without the image, and see it.
        official (bool): Behave like the code of a paper, to its last
            constant; classes then keep the order in which they are given,
            which decides ties. Else they are sorted.
    """

    needs_masks: bool = False
    needs_image: bool = False
    official: bool = False

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
            Tensor: 0 background, class + 1 elsewhere, uint8, (H, W). 255 is
            ignored.

        Raises:
            UserInputError: If CAMs, classes, masks and image are not as
                above, do not fit together, or something needed is missing.
        """
        # Refuse what does not fit
        name = type(self).__name__
        check_maps(cams, 'CAMs', name)
        check_classes(classes, len(cams), name)
        masks, image = self._checked(cams, masks, image)
        # Sort the classes, so that ties do not depend on their order
        ascending = classes.sort()
        if not self.official and not torch.equal(ascending.values, classes):
            classes = ascending.values
            cams = cams[ascending.indices.to(cams.device)]
        # Make the seed; the background is label 0
        labels = torch.cat([classes.new_zeros(1), classes + 1])
        labels = labels.to(cams.device, torch.uint8)
        return self._seed(cams, labels, masks, image)

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

        Raises:
            UserInputError: If they are not as above, do not fit together, or
                something needed is missing.
        """
        # Refuse what does not fit
        name = type(self).__name__
        check_maps(probabilities, 'probabilities', name)
        check_channels(probabilities, name)
        masks, image = self._checked(probabilities, masks, image)
        # Label each channel by its index; the background is 0
        labels = torch.arange(
            len(probabilities), dtype=torch.uint8, device=probabilities.device
        )
        return self._refine(probabilities, labels, masks, image)

    @abstractmethod
    def _seed(
        self, cams: Tensor, labels: Tensor, masks: SAMMasks, image: Tensor
    ) -> Tensor:
        """Make a seed of input that was checked.

        Args:
            cams (Tensor): Signed CAMs of the present classes, (P, H, W).
            labels (Tensor): Of the background, 0, and of each class, uint8,
                (1 + P,).
            masks (SAMMasks): Masks of the image, none where the seeder does
                not need them; like the image on the device of the CAMs.
            image (Tensor): RGB, uint8, (H, W, 3), without a pixel where the
                seeder does not need it.

        Returns:
            Tensor: Labels, uint8, (H, W).
        """

    @abstractmethod
    def _refine(
        self, scores: Tensor, labels: Tensor, masks: SAMMasks, image: Tensor
    ) -> Tensor:
        """Make a label map of a network's probabilities that were checked.

        Args:
            scores (Tensor): Probabilities, background first, (1 + C, H, W).
            labels (Tensor): Of the channels, 0 to C, uint8, (1 + C,).
            masks (SAMMasks): See :meth:`_seed`.
            image (Tensor): See :meth:`_seed`.

        Returns:
            Tensor: Labels, uint8, (H, W).
        """

    def _checked(
        self, maps: Tensor, masks: SAMMasks | None, image: Tensor | None
    ) -> tuple[SAMMasks, Tensor]:
        """Check masks and image; give those that are needed, else none."""
        name, size = type(self).__name__, (maps.shape[1], maps.shape[2])
        # Refuse what does not fit, or is needed and missing
        check_masks(masks, size, name, self.needs_masks)
        check_image(image, size, name, self.needs_image)
        # Hide what the seeder does not need
        if masks is None or not self.needs_masks:
            masks = SAMMasks.empty(size)
        if image is None or not self.needs_image:
            image = torch.zeros(0, 0, 3, dtype=torch.uint8)
        return masks.to(maps.device), image.to(maps.device)
