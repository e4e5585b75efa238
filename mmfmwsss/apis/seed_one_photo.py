# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""From one photo and its tags to a seed, with nothing learnt.

The seed route of Figure 2 of the paper without a runner, a data set or a
config: prompts by hand, Softmax-GradCAM (Eq. 1 to 3), CAA (Eq. 4), masks of
SAM's everything mode and SAMS (Eq. 8 to 10). Arrays in, arrays out.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from ..models.cams import CAA, softmax_gradcam, upsample_cams
from ..models.clip import (
    FrozenCLIP,
    ImageFeatures,
    class_logits,
    encode_names,
)
from ..models.masks.sam_mask_generator import MaskSource
from ..models.seeding import SAMS
from ..structures.mask_records import MaskInput
from ..utils import UserInputError
from ..utils.palette_png import voc_palette
from .photo_seed import Image, PhotoSeed, find_masks
from .photo_tags import (
    NoClearNameError,
    PhotoSettings,
    check_tags,
    choose_tags,
)

__all__ = [
    'NoClearNameError',
    'PhotoSeed',
    'PhotoSeeder',
    'PhotoSettings',
    'choose_tags',
]


class PhotoSeeder:
    """Segment photos one by one from their tags, or from what CLIP sees.

    Args:
        clip (FrozenCLIP): Sees the photo and reads the names.
        mask_source (MaskSource): Makes the masks, e.g. ``SAMEverything``.
        settings (PhotoSettings): How the CLIP looks.

    Example: see ``docs/from_python.md``.
    """

    palette = tuple(voc_palette())

    def __init__(
        self,
        clip: FrozenCLIP,
        mask_source: MaskSource,
        settings: PhotoSettings,
    ) -> None:
        self.clip = clip
        self.mask_source = mask_source
        self.settings = settings
        self.caa = CAA()
        self.seeder = SAMS(alpha=settings.alpha)
        self._name_features: dict[tuple[str, ...], Tensor] = {}

    def __call__(
        self,
        image: Image,
        tags: Sequence[str] | None = None,
        masks: MaskInput | None = None,
        features: ImageFeatures | None = None,
    ) -> PhotoSeed:
        """Make the seed of a photo.

        Args:
            image (ndarray): RGB, uint8, (H, W, 3).
            tags (Sequence[str], optional): What it shows. None: the names
                that :func:`choose_tags` takes of :meth:`rank`.
            masks (MaskInput, optional): Made before, in any form that
                :func:`as_sam_masks` takes; None makes them.
            features (ImageFeatures, optional): Of :meth:`encode`, made
                before; None makes them.

        Returns:
            PhotoSeed: Seed, scores, CAMs and masks.

        Raises:
            UserInputError: If the image or the tags are not as above.
            NoClearNameError: If no name has a score that suffices.
        """
        _check_image(image)
        seconds: dict[str, float] = {}
        ranking: dict[str, float] = {}
        # Let the CLIP name what it sees where no tags are given.
        if tags is None:
            with _timed(seconds, 'names'):
                ranking = self.rank(image)
                tags = self._choose(ranking)
        tags = check_tags(tags)
        # Make the CAMs of the tags (Eq. 1 to 4).
        with _timed(seconds, 'cams'):
            cams, scores = self.make_cams(image, tags, features)
        # Find the masks, unless they were made before.
        with _timed(seconds, 'masks'):
            found = find_masks(self.mask_source, image, masks)
        # Let the masks decide the seed (Eq. 8 to 10).
        with _timed(seconds, 'seed'):
            seed = self.seeder(cams, torch.arange(len(tags)), found)
            decisions = self.seeder.decide(cams, found)
        scores = ranking or scores
        return PhotoSeed(tags, scores, cams, found, decisions, seed, seconds)

    def to(self, device: torch.device | str) -> 'PhotoSeeder':
        """Move CLIP, and the source of masks where it is a network."""
        self.clip.to(device)
        if isinstance(self.mask_source, nn.Module):
            self.mask_source.to(device)
        self._name_features.clear()
        return self

    @torch.no_grad()
    def rank(self, image: Image) -> dict[str, float]:
        """Score all names that the CLIP knows.

        Args:
            image (ndarray): RGB, uint8, (H, W, 3).

        Returns:
            dict[str, float]: Softmax of the similarities, best first.
        """
        # Embed the photo, without attention, which only CAA needs.
        inputs = self._inputs(image, self.settings.naming_side)
        features = self.clip.encode_trunk(inputs, with_attention=False)
        embedding = self.clip.run_last_block(features).embedding
        return self._scores(embedding, self.settings.names)

    @torch.no_grad()
    def encode(self, image: Image) -> ImageFeatures:
        """Run the CLIP's trunk, which other tags do not change.

        Args:
            image (ndarray): RGB, uint8, (H, W, 3).

        Returns:
            ImageFeatures: For :meth:`make_cams`, as often as tags change.
        """
        inputs = self._inputs(image, self.settings.side)
        return self.clip.encode_trunk(inputs, self.settings.use_caa)

    @torch.no_grad()
    def make_cams(
        self,
        image: Image,
        tags: Sequence[str],
        features: ImageFeatures | None = None,
    ) -> tuple[Tensor, dict[str, float]]:
        """Make the class activation maps of tags.

        Args:
            image (ndarray): RGB, uint8, (H, W, 3).
            tags (Sequence[str]): P names.
            features (ImageFeatures, optional): Of :meth:`encode`, made
                before; None makes them.

        Returns:
            tuple[Tensor, dict[str, float]]: Maps at the size of the photo, on
            the CPU, (P, H, W); scores of tags and backgrounds (Eq. 1), best
            first.
        """
        # the tags compete with each other and with the backgrounds
        others = [b for b in self.settings.background if b not in tags]
        names = (*tags, *others)
        # Run the CLIP on the photo, unless that was done before.
        if features is None:
            features = self.encode(image)
        last_block = self.clip.run_last_block(features)
        # Make the maps by Softmax-GradCAM (Eq. 1 to 3).
        cams, pairs = softmax_gradcam(
            features,
            last_block,
            self._text(names),
            self.clip.scale,
            torch.ones(1, len(tags), dtype=torch.bool),
        )
        # Refine them by CAA (Eq. 4).
        if self.settings.use_caa:
            cams = self.caa(cams, features.attention, pairs[:, 0])
        # Bring them back to the size of the photo.
        maps = upsample_cams(cams.cpu(), image.shape[:2])
        return maps, self._scores(last_block.embedding, names)

    def unknown(self, tags: Sequence[str]) -> list[str]:
        """List the tags that are none of the names the CLIP was taught."""
        known = {name.lower() for name in self.settings.names}
        return [tag for tag in tags if tag.lower() not in known]

    def _scores(
        self, embedding: Tensor, names: tuple[str, ...]
    ) -> dict[str, float]:
        """Score names by softmax, best first."""
        logits = class_logits(embedding, self._text(names), self.clip.scale)
        scores = logits.softmax(1)[0]
        order = scores.argsort(descending=True).tolist()
        return {names[i]: float(scores[i]) for i in order}

    def _choose(self, scores: Mapping[str, float]) -> tuple[str, ...]:
        """Take tags of a ranking, or say that there is none to take."""
        # Choose among the best names, several times as many as needed.
        never = self.settings.never_tags
        best = [name for name in scores if name not in never]
        best = best[: 8 * self.settings.most_tags]
        text = self._text(tuple(best))
        tags = choose_tags(
            {name: scores[name] for name in best}, text, self.settings
        )
        if not tags:
            listed = ', '.join(f'{n} {scores[n]:.2f}' for n in best[:5])
            raise NoClearNameError(
                f'Expected a name with a score of {self.settings.least_score} '
                f'or more, but the best are {listed}: nothing that this CLIP '
                'knows stands out. Say what the photo shows with --tags.'
            )
        return tags

    def _text(self, names: tuple[str, ...]) -> Tensor:
        """Encode names to text features, once each, (G, E)."""
        if names not in self._name_features:
            self._name_features[names] = encode_names(
                self.clip, names, self.settings.templates
            )
        return self._name_features[names]

    def _inputs(self, image: Image, side: int) -> Tensor:
        """Normalise the photo at about this long side, (1, 3, h', w')."""
        resized = _fit_to_patches(image, side, self.clip.patch_size)
        pixels = torch.from_numpy(resized).float()
        mean = torch.as_tensor(self.settings.mean)
        std = torch.as_tensor(self.settings.std)
        normalised = ((pixels - mean) / std).permute(2, 0, 1)[None]
        return normalised.to(self.clip.scale.device)


def _check_image(image: Image) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise UserInputError(
            'Expected `image` to be RGB, uint8, (H, W, 3), as '
            'mmfmwsss.utils.photos.read_rgb reads it, but got '
            f'{image.dtype} of {image.shape}.'
        )


def _fit_to_patches(image: Image, side: int, patch: int) -> Image:
    """Resize to about this long side, both sides multiples of the patch."""
    # Round both sides to whole patches, keeping the shape.
    scale = side / max(image.shape[:2]) / patch
    height, width = (
        patch * max(1, round(length * scale)) for length in image.shape[:2]
    )
    # Average where the photo shrinks, interpolate where it grows.
    way = cv2.INTER_AREA if scale * patch < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(image, (width, height), interpolation=way)
    return np.asarray(resized, np.uint8)


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[step] = time.perf_counter() - start
