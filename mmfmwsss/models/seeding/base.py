# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeding: what every seeder takes and gives."""

from abc import ABC, abstractmethod

from torch import Tensor

from ...structures import SAMMasks
from ...utils import UserInputError
from ...utils.limits import MAX_CLASSES
from .checks import check_classes, check_image, check_maps, check_masks

__all__ = ['BaseSeeder']


class BaseSeeder(ABC):
    """Turns the score maps of one image into a label map.

    A seeder is called with :meth:`__call__` or :meth:`refine`, which refuse
    what does not fit, alike for all. A new one has :meth:`_seed` and
    :meth:`_refine`.

    Letters in the shapes: P classes present in the image, C foreground
    classes of the data set, S masks.
    """

    needs_masks: bool = False
    needs_image: bool = False

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

        Raises:
            UserInputError: If CAMs, classes, masks and image are not as
                above, do not fit together, or something needed is missing.
        """
        name = type(self).__name__
        check_maps(cams, 'CAMs', name)
        check_classes(classes, len(cams), name)
        self._check_extras(cams, masks, image)
        return self._seed(cams, classes.long(), masks, image)

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
        name = type(self).__name__
        check_maps(probabilities, 'probabilities', name)
        if not 1 <= len(probabilities) <= MAX_CLASSES + 1:
            raise UserInputError(
                f'{name} expected a channel for the background and at most '
                f'{MAX_CLASSES} for classes, got {len(probabilities)}.'
            )
        self._check_extras(probabilities, masks, image)
        return self._refine(probabilities, masks, image)

    @abstractmethod
    def _seed(
        self,
        cams: Tensor,
        classes: Tensor,
        masks: SAMMasks | None,
        image: Tensor | None,
    ) -> Tensor:
        """Do what :meth:`__call__` says, with what was checked."""

    @abstractmethod
    def _refine(
        self,
        probabilities: Tensor,
        masks: SAMMasks | None,
        image: Tensor | None,
    ) -> Tensor:
        """Do what :meth:`refine` says, with what was checked."""

    def _check_extras(
        self, maps: Tensor, masks: SAMMasks | None, image: Tensor | None
    ) -> None:
        name, size = type(self).__name__, (maps.shape[1], maps.shape[2])
        if masks is not None:
            check_masks(masks, size, name)
        if image is not None:
            check_image(image, size, name)

    def _masks_for(self, maps: Tensor, masks: SAMMasks | None) -> SAMMasks:
        """Masks on the device of the maps."""
        name = type(self).__name__
        if masks is None:
            raise UserInputError(
                f'{name} needs the masks of the image, got none. Add '
                "dict(type='LoadSAMMasks', mask_dir=...) to the pipeline and "
                "end it with dict(type='PackWSSSInputs'); tools/test.py "
                'configs/fmwsss/*_sam_masks.py makes the masks.'
            )
        return masks.to(maps.device)

    def _image_for(self, maps: Tensor, image: Tensor | None) -> Tensor:
        """The image on the device of the maps."""
        name = type(self).__name__
        if image is None:
            raise UserInputError(
                f'{name} needs the RGB image (H, W, 3), got none. Give the '
                'image, or on the command line its folder with --images.'
            )
        return image.to(maps.device)
