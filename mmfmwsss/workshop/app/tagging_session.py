# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Photos, their tags and what was computed of them, while a page is open."""

import os
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import RLock

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ...apis.seed_one_photo import PhotoSeed, PhotoSeeder
from ...models.clip import ImageFeatures
from ...models.masks.mask_files import finished_level_counts, settings_hash
from ...structures import SAMMasks
from ...utils import UserInputError, atomic_path, digest_of_picture
from ...utils.photos import decode_photo, read_rgb
from ...utils.picture_files import read_picture_bytes
from .photo_views import thumbnail
from .tag_texts import parse_tags, safe_photo_name
from .training_folder import TrainingFolder

__all__ = ['SeededPhoto', 'TaggingSession']

RGB = NDArray[np.uint8]  # (H, W, 3)

_KEPT = 4  # photos whose masks and features stay in memory
_JPEG_QUALITY = 95
_KINDS = {b'\xff\xd8\xff': '.jpg', b'\x89PNG': '.png'}


@dataclass
class SeededPhoto:
    """Hold a photo with what does not depend on its tags, and its seed.

    Attributes:
        image (ndarray): RGB, uint8, (H, W, 3).
        features (ImageFeatures): Of the CLIP's trunk.
        masks (SAMMasks): S masks.
        result (PhotoSeed, optional): None until there are tags.
    """

    image: RGB
    features: ImageFeatures
    masks: SAMMasks
    result: PhotoSeed | None = None


class TaggingSession:
    """Add photos, tag them, and seed them again as tags change.

    Masks and features are made once a photo, so that another tag costs no
    more than a CAM and SAMS. Calls may come from several threads.

    Args:
        seeder (PhotoSeeder): The models.
        folder (TrainingFolder): Keeps photos, tags, masks and seeds.
        longest_side (int): Photos are made smaller than this, pixels.
    """

    def __init__(
        self,
        seeder: PhotoSeeder,
        folder: TrainingFolder,
        longest_side: int = 1024,
    ) -> None:
        self.seeder = seeder
        self.folder = folder
        self.longest_side = longest_side
        described = dict(
            seeder.mask_source.settings(),
            type=type(seeder.mask_source).__name__,
        )
        self._mask_settings = settings_hash(described)
        self._open: OrderedDict[str, SeededPhoto] = OrderedDict()
        self._thumbnails: dict[str, RGB] = {}
        self._lock = RLock()

    def add(
        self, paths: Sequence[str | os.PathLike[str]]
    ) -> tuple[list[str], list[str]]:
        """Copy photos into the folder, each under a harmless name.

        Args:
            paths (Sequence[str | PathLike]): Files, photos or not.

        Returns:
            tuple[list[str], list[str]]: Names of the photos that were added;
            a line for each file that was changed or is no photo.
        """
        added, notes = [], []
        with self._lock:
            for path in map(Path, paths):
                try:
                    name, note = self._add(path)
                except UserInputError as error:
                    notes.append(str(error))
                    continue
                added.append(name)
                notes += [note] if note else []
        return added, notes

    def _add(self, path: Path) -> tuple[str, str]:
        """Copy one photo; returns its name and what was changed."""
        # Decode it completely, which refuses what is no whole photo
        data = read_picture_bytes(path)
        image = decode_photo(data, path.name)  # BGR
        scale = self.longest_side / max(image.shape[:2])
        suffix = next((s for k, s in _KINDS.items() if data.startswith(k)), '')
        # Keep the file as it is, if the configs can read it
        kept = scale >= 1 and bool(suffix)
        suffix = suffix if kept else '.jpg'
        name = safe_photo_name(path.name, self.folder.photos, suffix)
        with atomic_path(self.folder.image_path(name)) as temporary:
            if kept:
                temporary.write_bytes(data)
                return name, ''
            # Make it smaller, and a JPEG
            if scale < 1:
                size = [max(1, round(s * scale)) for s in image.shape[1::-1]]
                smaller = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
                image = np.asarray(smaller, np.uint8)
            Image.fromarray(image[..., ::-1]).save(
                temporary, 'JPEG', quality=_JPEG_QUALITY
            )
        return name, f'{name}: saved as a JPEG of {_sides(image)} pixels.'

    def remove(self, name: str) -> None:
        """Take a photo out of the folder."""
        with self._lock:
            self._open.pop(name, None)
            self._thumbnails.pop(name, None)
            self.folder.remove(name)

    def tag(self, name: str, text: str) -> PhotoSeed:
        """Tag a photo and make its seed.

        Args:
            name (str): One of the folder's photos.
            text (str): Tags as they are typed; without any, those that the
                CLIP sees are taken.

        Returns:
            PhotoSeed: ``seconds`` has the steps that were needed.

        Raises:
            UserInputError: If the tags cannot be classes, the photo is gone,
                or the CLIP names nothing.
        """
        tags = parse_tags(text)
        with self._lock:
            photo, seconds = self._opened(name)
            # Make the seed with the masks and features that are there
            result = self.seeder(
                photo.image, tags or None, photo.masks, photo.features
            )
            # Count the masks where they were made
            result.seconds.pop('masks')
            result.seconds = {**seconds, **result.seconds}
            # Keep tags and seed in the folder
            named = parse_tags(','.join(result.tags))
            self.folder.set_tags(name, named)
            self.folder.write_seed(name, result.seed.numpy())
            photo.result = result
            return result

    def open(self, name: str) -> SeededPhoto:
        """Open a photo; its seed is made if it has tags.

        Raises:
            UserInputError: If it is gone or damaged.
        """
        with self._lock:
            photo, _ = self._opened(name)
            tags = self.folder.tags.get(name)
            if photo.result is None and tags:
                self.tag(name, ', '.join(tags))
            return photo

    def image(self, name: str) -> RGB | None:
        """Read a photo, without masks or features; None if it is damaged."""
        if name in self._open:
            return self._open[name].image
        try:
            return read_rgb(self._path(name))
        except UserInputError:
            return None

    def thumbnail(self, name: str) -> RGB:
        """Show a photo small; grey if it is damaged."""
        if name not in self._thumbnails:
            image = self.image(name)
            if image is None:
                image = np.full((75, 100, 3), 128, np.uint8)
            self._thumbnails[name] = thumbnail(image)
        return self._thumbnails[name]

    def _path(self, name: str) -> Path:
        """Find a photo; names of other files are refused."""
        if name not in self.folder.photos:
            raise UserInputError(
                f'Expected one of the photos in {self.folder.images}, but got '
                f'{name!r}. Drop it again.'
            )
        return self.folder.image_path(name)

    def _opened(self, name: str) -> tuple[SeededPhoto, dict[str, float]]:
        """Give a photo with masks and features, and the seconds of each."""
        if name in self._open:
            self._open.move_to_end(name)
            return self._open[name], {}
        # Run both networks, unless the masks are there
        image, seconds = read_rgb(self._path(name)), {}
        start = time.perf_counter()
        features = self.seeder.encode(image)
        seconds['features'] = time.perf_counter() - start
        start = time.perf_counter()
        masks = self._masks(name, image)
        seconds['masks'] = time.perf_counter() - start
        # Keep the last few
        self._open[name] = SeededPhoto(image, features, masks)
        while len(self._open) > _KEPT:
            self._open.popitem(last=False)
        return self._open[name], seconds

    @torch.no_grad()
    def _masks(self, name: str, image: RGB) -> SAMMasks:
        """Read the masks of a photo, or make and write them."""
        path = self.folder.mask_path(name)
        source = digest_of_picture(
            self.folder.image_path(name), image.shape[:2]
        )
        if finished_level_counts(path, self._mask_settings, source):
            return SAMMasks.load(path)
        masks = self.seeder.mask_source(image)
        self.folder.write_masks(name, masks, self._mask_settings, source)
        return masks


def _sides(image: RGB) -> str:
    return f'{image.shape[1]} x {image.shape[0]}'
