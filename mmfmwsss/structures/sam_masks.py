# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Masks of one image on three levels: what SAM hands to the seeders."""

import os
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .sam_masks_file import MaskFileContent, read_mask_file, write_mask_file

__all__ = ['LEVEL_NAMES', 'PART', 'SUBPART', 'WHOLE', 'SAMMasks']

SUBPART, PART, WHOLE = 0, 1, 2
LEVEL_NAMES = ('subpart', 'part', 'whole')


@dataclass
class SAMMasks:
    """The masks of one image with their levels and scores.

    Attributes:
        masks (Tensor): bool, (S, H, W).
        levels (Tensor): 0 sub-part, 1 part, 2 whole, int64, (S,).
        predicted_iou (Tensor): The model's own estimate of the quality,
            float32, (S,).
        stability_score (Tensor): IoU of the mask with itself under a higher
            and a lower threshold, float32, (S,).

    Raises:
        ValueError: If the shapes or types do not fit together.
    """

    masks: Tensor
    levels: Tensor
    predicted_iou: Tensor
    stability_score: Tensor

    def __post_init__(self) -> None:
        """Check the shapes once, so that nobody else has to."""
        # See that there are boolean masks, with one value each.
        if self.masks.ndim != 3 or self.masks.dtype != torch.bool:
            raise ValueError(
                '`masks` must be bool of shape (S, H, W), got '
                f'{self.masks.dtype} of shape {tuple(self.masks.shape)}'
            )
        for name in ('levels', 'predicted_iou', 'stability_score'):
            shape = tuple(getattr(self, name).shape)
            if shape != (len(self.masks),):
                raise ValueError(
                    f'`{name}` must have shape ({len(self.masks)},) as there '
                    f'are {len(self.masks)} masks, got {shape}'
                )
        # See that there are no other levels than SAM's three.
        found = set(self.levels.tolist())
        if not found <= {SUBPART, PART, WHOLE}:
            raise ValueError(
                '`levels` must be 0 (sub-part), 1 (part) or 2 (whole), got '
                f'{min(found - {SUBPART, PART, WHOLE})}'
            )

    def __len__(self) -> int:
        """Count the masks, S."""
        return len(self.masks)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the masks in pixels."""
        return self.masks.shape[1], self.masks.shape[2]

    @classmethod
    def empty(cls, size: tuple[int, int]) -> 'SAMMasks':
        """Make an object without masks, for an image of (H, W) pixels."""
        return cls(
            masks=torch.zeros(0, *size, dtype=torch.bool),
            levels=torch.zeros(0, dtype=torch.int64),
            predicted_iou=torch.zeros(0),
            stability_score=torch.zeros(0),
        )

    def filter(self, keep: Tensor) -> 'SAMMasks':
        """Keep some masks: bool (S,), or indices in the wanted order."""
        return SAMMasks(
            masks=self.masks[keep],
            levels=self.levels[keep],
            predicted_iou=self.predicted_iou[keep],
            stability_score=self.stability_score[keep],
        )

    def nonempty(self) -> Tensor:
        """Find masks with at least one pixel, bool, (S,)."""
        return self.masks.flatten(1).any(dim=1)

    def level_counts(self) -> list[int]:
        """Count sub-part, part and whole masks."""
        return [int(n) for n in torch.bincount(self.levels, minlength=3)]

    def to(
        self, device: torch.device | str, non_blocking: bool = False
    ) -> 'SAMMasks':
        """Copy the masks to another device."""
        return SAMMasks(
            *(
                tensor.to(device, non_blocking=non_blocking)
                for tensor in (
                    self.masks,
                    self.levels,
                    self.predicted_iou,
                    self.stability_score,
                )
            )
        )

    def pack(self) -> NDArray[np.uint8]:
        """Put the masks into the bits of an image, eight a channel.

        Nearest resize, crop, flip and padding with zero act on it as on any
        image, and so on all masks at once.

        Returns:
            ndarray: uint8, (H, W, max(1, ceil(S / 8))). Mask s is bit
            7 - s % 8 of channel s // 8. Without masks there is one empty
            channel, for OpenCV takes no image without.
        """
        height, width = self.size
        # Fill the last channel up with empty masks.
        channels = max(1, -(-len(self) // 8))
        bits = torch.zeros(channels * 8, height, width, dtype=torch.uint8)
        bits[: len(self)] = self.masks.cpu().view(torch.uint8)
        bits = bits.view(channels, 8, height, width)
        # Shift each of eight masks to its bit.
        planes = torch.zeros(channels, height, width, dtype=torch.uint8)
        for place in range(8):
            planes |= bits[:, place] << (7 - place)
        return planes.permute(1, 2, 0).contiguous().numpy()

    def with_packed(self, planes: NDArray[np.uint8]) -> 'SAMMasks':
        """Take the masks from transformed planes; levels and scores stay.

        Masks that the transform left without a pixel are kept.

        Args:
            planes (ndarray): What became of ``pack()``, uint8,
                (H', W', channels) or, of one channel, (H', W').

        Raises:
            ValueError: If the number of channels is not that of ``pack()``.
        """
        if planes.ndim == 2:  # OpenCV drops a single channel
            planes = planes[:, :, None]
        channels = max(1, -(-len(self) // 8))
        if planes.ndim != 3 or planes.shape[2] != channels:
            raise ValueError(
                f'{len(self)} masks are packed into planes (H, W, {channels})'
                f', got {planes.shape}'
            )
        # The copy is writable and contiguous whatever the transform left.
        stacked = torch.from_numpy(planes.transpose(2, 0, 1).copy())
        places = torch.arange(7, -1, -1, dtype=torch.uint8)[:, None, None]
        bits = (stacked[:, None] >> places) & 1
        return SAMMasks(
            masks=bits.flatten(0, 1)[: len(self)].bool().to(self.masks.device),
            levels=self.levels,
            predicted_iou=self.predicted_iou,
            stability_score=self.stability_score,
        )

    def save(
        self,
        path: str | os.PathLike[str],
        settings: str = '',
        source: str = '',
    ) -> None:
        """Write the masks atomically; ``sam_masks_file`` has the format.

        Args:
            path (str | PathLike): The JSON file to write.
            settings (str): Hash of the settings that made the masks.
            source (str): Hash of what they were made of.
        """
        content = MaskFileContent(
            masks=self.masks.cpu().numpy(),
            levels=self.levels.tolist(),
            predicted_iou=self.predicted_iou.tolist(),
            stability_score=self.stability_score.tolist(),
            source=source,
        )
        write_mask_file(path, content, settings)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> 'SAMMasks':
        """Read what ``save`` wrote.

        Raises:
            UserInputError: If the file is missing, damaged or of another
                format.
        """
        return cls.from_file_content(read_mask_file(path))

    @classmethod
    def from_file_content(cls, content: MaskFileContent) -> 'SAMMasks':
        """Turn the content of a mask file into tensors."""
        return cls(
            masks=torch.from_numpy(content.masks),
            levels=torch.tensor(content.levels, dtype=torch.int64),
            predicted_iou=torch.tensor(content.predicted_iou).float(),
            stability_score=torch.tensor(content.stability_score).float(),
        )
