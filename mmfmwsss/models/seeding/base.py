# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeding: the interface of all seeders, which checks their input once."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from ...structures import SAMMasks
from ...structures.mask_records import MaskInput, as_sam_masks
from ...utils.arrays import Array, ArrayLike, as_tensor, give_back
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
    what does not fit, alike for all, and compute in full precision whatever
    the network around them does. One that starts from the scores of
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
        cams: Array,
        classes: ArrayLike,
        masks: MaskInput | None = None,
        image: ArrayLike | None = None,
    ) -> Array:
        """Make the seed of one image from its CAMs.

        Args:
            cams (Tensor | ndarray): Signed, un-normalised activations of the
                present classes, (P, H, W).
            classes (ArrayLike): Their 0-based foreground indices, whole
                numbers, (P,).
            masks (MaskInput, optional): Masks of the image, (S, H, W), in
                any form that :func:`as_sam_masks` takes.
            image (ArrayLike, optional): RGB, uint8, (H, W, 3).

        Returns:
            Tensor | ndarray: 0 background, class + 1 elsewhere, uint8,
            (H, W). 255 is ignored. Of the kind of the CAMs.

        Raises:
            UserInputError: If CAMs, classes, masks and image are not as
                above, do not fit together, or something needed is missing.
        """
        # Refuse what does not fit
        name = type(self).__name__
        maps, indices = as_tensor(cams, 'cams'), as_tensor(classes, 'classes')
        check_maps(maps, 'CAMs', name)
        if not indices.numel():  # an empty list has no type
            indices = indices.long()
        check_classes(indices, len(maps), name)
        indices = indices.long()
        found, pixels = self._checked(maps, masks, image)
        # Sort the classes, so that ties do not depend on their order
        ascending = indices.sort()
        if not self.official and not torch.equal(ascending.values, indices):
            indices = ascending.values
            maps = maps[ascending.indices.to(maps.device)]
        # Make the seed; the background is label 0
        labels = torch.cat([indices.new_zeros(1), indices + 1])
        labels = labels.to(maps.device, torch.uint8)
        with torch.autocast(maps.device.type, enabled=False):
            seed = self._seed(maps, labels, found, pixels)
        return give_back(seed, cams)

    def refine(
        self,
        probabilities: Array,
        masks: MaskInput | None = None,
        image: ArrayLike | None = None,
    ) -> Array:
        """Make the label map of one image from a network's probabilities.

        Args:
            probabilities (Tensor | ndarray): Background first,
                (1 + C, H, W).
            masks (MaskInput, optional): As for a seed.
            image (ArrayLike, optional): RGB, uint8, (H, W, 3).

        Returns:
            Tensor | ndarray: Index of the channel that won, uint8, (H, W). Of
            the kind of the probabilities.

        Raises:
            UserInputError: If they are not as above, do not fit together, or
                something needed is missing.
        """
        # Refuse what does not fit
        name = type(self).__name__
        scores = as_tensor(probabilities, 'probabilities')
        check_maps(scores, 'probabilities', name)
        check_channels(scores, name)
        found, pixels = self._checked(scores, masks, image)
        # Label each channel by its index; the background is 0
        labels = torch.arange(
            len(scores), dtype=torch.uint8, device=scores.device
        )
        with torch.autocast(scores.device.type, enabled=False):
            refined = self._refine(scores, labels, found, pixels)
        return give_back(refined, probabilities)

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
        self,
        maps: Tensor,
        masks: MaskInput | None,
        image: ArrayLike | None,
    ) -> tuple[SAMMasks, Tensor]:
        """Check masks and image; give those that are needed, else none."""
        name, size = type(self).__name__, (maps.shape[1], maps.shape[2])
        # Refuse what does not fit, or is needed and missing
        found = None if masks is None else as_sam_masks(masks, size)
        pixels = None if image is None else as_tensor(image, 'image')
        check_masks(found, size, name, self.needs_masks)
        check_image(pixels, size, name, self.needs_image)
        # Hide what the seeder does not need
        if found is None or not self.needs_masks:
            found = SAMMasks.empty(size)
        if pixels is None or not self.needs_image:
            pixels = torch.zeros(0, 0, 3, dtype=torch.uint8)
        return found.to(maps.device), pixels.to(maps.device)
