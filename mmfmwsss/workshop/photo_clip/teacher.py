# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The classifier's features and opinions of photos, computed once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from tqdm import tqdm

from ...models.clip.efficientnet_stem import (
    STEM_CHANNELS,
    build_efficientnet,
)
from ...utils import UserInputError, atomic_path, digest_of

__all__ = ['SIDE', 'PhotoFeatures', 'Teacher', 'find_photos', 'read_photo']

SIDE = 256  # pixels that each photo is squeezed to
GRID = SIDE // 16  # tokens
_SUFFIXES = ('.jpg', '.jpeg', '.png')
_BATCH = 4  # photos; more would leave the caches of a CPU


class Teacher(nn.Module):
    """EfficientNet-Lite2 with both ends: at stride 32 and at stride 16.

    Args:
        state (dict[str, Tensor]): Weights under timm's names.
    """

    def __init__(self, state: dict[str, Tensor]) -> None:
        # Build one network of stride 32 and a dilated one, of equal weights
        super().__init__()
        self.classifier = build_efficientnet(32)
        self.dilated = build_efficientnet(16)
        for network in (self.classifier, self.dilated):
            network.load_state_dict(state)
        # Freeze both
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Compute features at stride 16 and logits of the photos.

        Args:
            images (Tensor): Normalised, (N, 3, H, W).

        Returns:
            tuple[Tensor, Tensor]: (N, 352, h, w) and (N, 1000).
        """
        # Share the first blocks, which do not differ
        plain, dilated = self.classifier, self.dilated
        x = plain.blocks[:5](plain.bn1(plain.conv_stem(images)))
        features = dilated.blocks[5:](x)
        return features, plain.forward_head(
            plain.bn2(plain.conv_head(plain.blocks[5:](x)))
        )

    def head(self, tokens: Tensor) -> Tensor:
        """Compute what the classifier averages over places, (..., 1280).

        Args:
            tokens (Tensor): Features of places, (..., 352).
        """
        places = tokens.reshape(-1, STEM_CHANNELS, 1, 1)
        hidden = self.classifier.bn2(self.classifier.conv_head(places))
        return hidden.reshape(*tokens.shape[:-1], -1)

    def classify(self, hidden: Tensor) -> Tensor:
        """Classify what :meth:`head` gave, (..., 1280): logits (..., 1000)."""
        last = self.classifier.classifier
        return F.linear(hidden, last.weight, last.bias)


@dataclass(frozen=True)
class PhotoFeatures:
    """Hold the teacher's answers for N photos.

    Attributes:
        features (NDArray): At stride 16, float16, (N, 352, 16, 16).
        logits (NDArray): Of ImageNet's classes, float32, (N, 1000).
    """

    features: NDArray[np.float16]
    logits: NDArray[np.float32]

    @classmethod
    def compute(
        cls, photos: Sequence[Path], teacher: Teacher, cache: Path
    ) -> 'PhotoFeatures':
        """Run the teacher on photos, or read what an earlier run kept.

        Args:
            photos (Sequence[Path]): Files.
            teacher (Teacher): The classifier.
            cache (Path): Folder of the results; 180 KB a photo.
        """
        # Name the files after the photos
        key = digest_of([[str(p), p.stat().st_size] for p in photos])
        names = [cache / f'{key[:16]}_{k}.npy' for k in ('features', 'logits')]
        # Run the teacher, unless its outputs are there
        if not all(name.is_file() for name in names):
            for name, array in zip(names, _run(photos, teacher), strict=True):
                with atomic_path(name) as path:
                    np.save(path, np.asarray(array))
        return cls(*(np.load(name, mmap_mode='r') for name in names))


def _run(
    photos: Sequence[Path], teacher: Teacher
) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    # Make room for all photos
    shape = (len(photos), STEM_CHANNELS, GRID, GRID)
    features = np.empty(shape, np.float16)
    logits = np.empty((len(photos), 1000), np.float32)
    # Run the photos in batches
    with torch.inference_mode(), tqdm(total=len(photos), unit='photo') as bar:
        for first in range(0, len(photos), _BATCH):
            some = slice(first, first + _BATCH)
            images = torch.stack([read_photo(p) for p in photos[some]])
            seen, said = teacher(images)
            features[some], logits[some] = seen.numpy(), said.numpy()
            bar.update(len(images))
    return features, logits


def read_photo(path: Path, size: tuple[int, int] = (SIDE, SIDE)) -> Tensor:
    """Read a photo at a size of (width, height), normalised, (3, H, W)."""
    with Image.open(path) as photo:
        resized = photo.convert('RGB').resize(size, Image.Resampling.BICUBIC)
    pixels = torch.from_numpy(np.array(resized)).permute(2, 0, 1)
    return (pixels.float() - 127) / 128


def find_photos(folders: Sequence[Path]) -> list[Path]:
    """List the photos in folders and those below them, sorted.

    Raises:
        UserInputError: If there are none.
    """
    # Find the photos by their suffixes
    photos = sorted(
        path
        for folder in folders
        for path in folder.rglob('*')
        if path.suffix.lower() in _SUFFIXES
    )
    if not photos:
        raise UserInputError(
            f'Expected photos ({", ".join(_SUFFIXES)}) in '
            f'{", ".join(map(str, folders))}, but found none. Name folders of '
            'photos, e.g. tools/photo_clip/train.py ~/photos'
        )
    return photos
