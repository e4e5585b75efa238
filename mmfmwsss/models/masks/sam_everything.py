# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The paper's source of masks: SAM in everything mode, then the filter."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from mmseg.registry import TASK_UTILS
from numpy.typing import NDArray
from torch import nn

from ...structures import SAMMasks
from ...utils import UserInputError, resolve_path, sha256_of
from .everything import generate_masks
from .everything_settings import EverythingSettings
from .quasi_superpixels import filter_by_occupation
from .sam_model import build_sam

__all__ = ['SAMEverything']


@TASK_UTILS.register_module()
class SAMEverything(nn.Module):
    """Quasi-superpixels of section 4.2 of the paper.

    Args:
        arch (str | Mapping): ``'vit_b'``, ``'vit_l'``, ``'vit_h'``,
            ``'vit_t'`` (MobileSAM), or the sizes of a small SAM.
        checkpoint (str | PathLike | None): Its weights; None for random ones.
        occupation_threshold (float | None): t_r of ``filter_by_occupation``;
            None keeps all masks. Default: 0.3.
        points_per_batch (int): Points decoded at once. Memory only.
        masks_per_batch (int): Masks upscaled at once. Memory only.
        fast_network (bool): False runs segment_anything's own encoder and
            decoder, for comparisons.
        **settings: Fields of ``EverythingSettings``; the defaults are the
            paper's recipe.

    Raises:
        UserInputError: If the weights or the settings do not fit.
    """

    def __init__(
        self,
        arch: str | Mapping[str, int],
        checkpoint: str | os.PathLike[str] | None,
        occupation_threshold: float | None = 0.3,
        points_per_batch: int = 64,
        masks_per_batch: int = 64,
        fast_network: bool = True,
        **settings: Any,
    ) -> None:
        super().__init__()
        try:
            self.everything = EverythingSettings(**settings)
        except TypeError as error:
            raise UserInputError(
                f'The settings do not fit EverythingSettings: {error}'
            ) from error
        # Build the network, and hash its weights for the mask files.
        self.sam = build_sam(arch, checkpoint)
        self.arch = arch if isinstance(arch, str) else dict(arch)
        self.weights = None
        if checkpoint is not None:
            self.weights = sha256_of(resolve_path(checkpoint, ''))
        self.occupation_threshold = occupation_threshold
        self.points_per_batch = points_per_batch
        self.masks_per_batch = masks_per_batch
        self.fast_network = fast_network

    def settings(self) -> dict[str, Any]:
        """Give all that decides the masks, for the hash in the mask files."""
        settings = asdict(self.everything)
        # Masks of releases without this setting stay current.
        if not settings['skip_covered_points']:
            del settings['skip_covered_points']
        return dict(
            arch=self.arch,
            weights=self.weights,
            occupation_threshold=self.occupation_threshold,
            **settings,
        )

    def forward(self, image: NDArray[np.uint8]) -> SAMMasks:
        """Find the masks of an image.

        Args:
            image (ndarray): RGB, uint8, (H, W, 3).

        Returns:
            SAMMasks: On the CPU.
        """
        # Find all masks, and keep those that make quasi-superpixels.
        masks = generate_masks(
            self.sam,
            image,
            self.everything,
            points_per_batch=self.points_per_batch,
            masks_per_batch=self.masks_per_batch,
            fast_network=self.fast_network,
        )
        if self.occupation_threshold is None:
            return masks
        return filter_by_occupation(masks, self.occupation_threshold)
