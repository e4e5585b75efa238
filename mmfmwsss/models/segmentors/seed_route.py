# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A way from a class activation map to a seed."""

from typing import Any, cast

from mmseg.registry import TASK_UTILS
from mmseg.structures import SegDataSample
from torch import Tensor

from ...structures import SAMMasks
from ...structures.sam_mask_folder import SAMMaskFolder
from ...utils import UserInputError
from ...utils.image_names import image_name_of
from ..seeding import BaseSeeder
from .original_image import load_rgb

__all__ = ['ImageError', 'SeedRoute']


class ImageError(UserInputError):
    """One image cannot be done; the others can."""


class SeedRoute:
    """Make seeds of a stream's CAM, with or without CAA, by a seeder.

    Args:
        stream (str): Name of a stream of the model.
        seeder (dict): Config of a seeder.
        use_caa (bool): Refine the CAM by CAA. Default: True.
        mask_dir (str, optional): Masks of this route alone, to compare mask
            settings in one run. None: those that the pipeline loads.
    """

    def __init__(
        self,
        stream: str,
        seeder: dict[str, Any],
        use_caa: bool = True,
        mask_dir: str | None = None,
    ) -> None:
        self.stream = stream
        self.use_caa = use_caa
        self.seeder: BaseSeeder = TASK_UTILS.build(seeder)
        self.mask_loader = (
            None if mask_dir is None else SAMMaskFolder(mask_dir)
        )

    @property
    def cam(self) -> tuple[str, bool]:
        """Stream and flag that tell its CAM from those of other routes."""
        return self.stream, self.use_caa

    def seed(
        self, cams: Tensor, classes: Tensor, sample: SegDataSample
    ) -> Tensor:
        """Make the seed of an image.

        Args:
            cams (Tensor): At the image's original size, (P, H, W).
            classes (Tensor): 0-based foreground indices, int64, (P,).
            sample (SegDataSample): With what the seeder needs.

        Returns:
            Tensor: 0 background, class + 1 elsewhere, uint8, (H, W).

        Raises:
            ImageError: If this image cannot be done.
            UserInputError: If none can, for the pipeline loads no masks.
        """
        # Stop at a pipeline without masks, which no image survives
        if self.mask_loader is None and self.seeder.needs_masks:
            self._require_masks(sample)
        # Seed the image; an error from here on is its own
        try:
            image = None
            if self.seeder.needs_image:
                image = load_rgb(sample).to(cams.device)
            return self.seeder(cams, classes, self.masks(sample), image)
        except UserInputError as error:
            raise ImageError(str(error)) from error

    def _require_masks(self, sample: SegDataSample) -> None:
        if 'sam_masks' not in sample:
            raise UserInputError(
                f'Expected the masks of {sample.get("img_path", "an image")} '
                f'for {type(self.seeder).__name__}, but the pipeline loads '
                "none. Add dict(type='LoadSAMMasks', mask_dir=...) to it and "
                "end it with dict(type='PackWSSSInputs')."
            )

    def masks(self, sample: SegDataSample) -> SAMMasks | None:
        """Load the masks that the seeder reads, if it needs any."""
        if not self.seeder.needs_masks:
            return None
        if self.mask_loader is None:
            return cast(SAMMasks, sample.sam_masks)
        # Read the masks of this route alone
        name = image_name_of(sample.metainfo)
        return self.mask_loader.read(
            name, tuple(sample.ori_shape[:2]), sample.img_path
        )
