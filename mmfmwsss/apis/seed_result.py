# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The result of one photo: arrays of numpy, pictures and files."""

import io
import os
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from numpy.typing import NDArray
from PIL import Image as PILImage

from ..utils import atomic_path
from ..utils.palette_png import write_palette_png
from ..visualization.explain import explanation_picture
from ..visualization.label_pictures import paint_named_labels
from ..visualization.painting import overlay_cam
from .photo_seed import Image, PhotoSeed

__all__ = ['SeedFailure', 'SeedResult']


class SeedFailure:
    """Say which photo has no seed, and why.

    Args:
        name (str): Of the photo.
        message (str): What the user can mend.
    """

    def __init__(self, name: str, message: str) -> None:
        self.name = name
        self.message = message

    def __repr__(self) -> str:
        return f'SeedFailure({self.name!r}: {self.message})'


class SeedResult:
    """Hold the seed of a photo, and all that led to it, as arrays.

    A notebook shows it as a picture.

    Args:
        name (str): Of the photo.
        path (str, optional): Of its file, if it has one.
        image (ndarray): RGB, uint8, (H, W, 3).
        made (PhotoSeed): What was made of it.
        palette (Sequence): RGB of each label.

    Attributes:
        tags (tuple[str, ...]): Names of the P classes, as they were given or
            found.
        labels (tuple[int, ...]): Of these classes in the seed.
        scores (dict[str, float]): Of classes, best first.
        seconds (dict[str, float]): Of each step.
    """

    def __init__(
        self,
        name: str,
        path: str | None,
        image: Image,
        made: PhotoSeed,
        palette: Sequence[Sequence[int]],
    ) -> None:
        self.name, self.path, self.image = name, path, image
        self.made, self.palette = made, palette
        self.tags, self.labels = made.tags, made.labels
        self.scores, self.seconds = made.scores, made.seconds

    @property
    def seed(self) -> NDArray[np.uint8]:
        """Label map: 0 background, else ``labels``, 255 ignored, (H, W)."""
        return np.asarray(self.made.seed.numpy(), np.uint8)

    @property
    def cams(self) -> NDArray[np.float32]:
        """Signed class activation maps of the tags, (P, H, W)."""
        return np.asarray(self.made.cams.numpy(), np.float32)

    @property
    def masks(self) -> NDArray[np.bool_]:
        """Masks that SAMS classified, (S, H, W)."""
        return np.asarray(self.made.masks.masks.numpy(), np.bool_)

    @property
    def mask_levels(self) -> NDArray[np.int64]:
        """Level of each mask: 0 sub-part, 1 part, 2 whole, (S,)."""
        return np.asarray(self.made.masks.levels.numpy(), np.int64)

    @property
    def decisions(self) -> dict[str, NDArray[Any]]:
        """What SAMS decided for each mask.

        ``scores`` (S, 1 + P), background first; ``winner``, the column of the
        best, (S,); ``confidence``, its score, (S,).
        """
        fields = self.made.decisions._asdict()
        return {name: value.numpy() for name, value in fields.items()}

    @property
    def shares(self) -> dict[str, float]:
        """Share of the photo that each tag has in the seed."""
        return {
            tag: float((self.seed == label).mean())
            for tag, label in zip(self.tags, self.labels, strict=True)
        }

    @cached_property
    def overlay(self) -> Image:
        """Seed over the photo with names and legend, RGB; enlarged if small.

        The photo is at the top left, the legend below it.
        """
        names = [''] * (max(self.labels, default=0) + 1)
        for tag, label in zip(self.tags, self.labels, strict=True):
            names[label] = tag
        return paint_named_labels(self.image, self.seed, names, self.palette)

    def explain(self) -> Image:
        """Draw photo, CAMs, masks by level and seed side by side, RGB."""
        made = self.made
        return explanation_picture(
            self.image,
            made.cams,
            made.masks,
            made.decisions,
            made.seed,
            ['background', *made.tags],
            made.labels,
            self.palette,
        )

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the results of the photo, named after it.

        ``NAME_seed.png`` (palette; 0 is background), ``NAME_overlay.jpg``,
        ``NAME_cam_TAG.jpg`` of each tag, and ``NAME_why.png``.

        Args:
            folder (str | PathLike): Is made if it is not there.
        """
        write_palette_png(
            Path(folder, f'{self.name}_seed.png'), self.seed, self.palette
        )
        # Write the pictures, each whole or not at all
        pictures = {'overlay.jpg': self.overlay, 'why.png': self.explain()}
        for tag, cam in zip(self.tags, self.cams, strict=True):
            plain = re.sub(r'[^\w-]+', '_', tag)
            pictures[f'cam_{plain}.jpg'] = overlay_cam(self.image, cam)
        for end, picture in pictures.items():
            with atomic_path(Path(folder, f'{self.name}_{end}')) as temporary:
                PILImage.fromarray(picture).save(temporary)

    def to_data_sample(self) -> SegDataSample:
        """Pack the result as mmseg does, with CAMs and masks."""
        sample = SegDataSample(
            metainfo=dict(
                img_path=self.path,
                image_name=self.name,
                ori_shape=self.seed.shape,
                tags=self.tags,
                labels=self.labels,
                scores=self.scores,
            )
        )
        # Add the maps and masks at the photo's own size
        seed = self.made.seed[None]
        sample.pred_sem_seg = PixelData(data=seed.to(torch.int64))
        if len(self.tags):
            sample.cams = PixelData(data=self.made.cams)
        sample.sam_masks = self.made.masks
        return sample

    def _repr_png_(self) -> bytes:
        """Show the overlay in a notebook."""
        stream = io.BytesIO()
        PILImage.fromarray(self.overlay).save(stream, 'PNG')
        return stream.getvalue()

    def __repr__(self) -> str:
        shares = [f'{tag} {share:.0%}' for tag, share in self.shares.items()]
        return f'SeedResult({self.name!r}: {", ".join(shares)} of the photo)'
