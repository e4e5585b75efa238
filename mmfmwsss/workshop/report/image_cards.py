# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Everything there is to see of one image, as a card of the report."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from mmseg.structures import SegDataSample
from numpy.typing import NDArray
from PIL import Image

from ...structures import LEVEL_NAMES
from ...utils.photos import read_rgb
from ...visualization.painting import paint_errors, paint_labels, paint_masks
from ...visualization.seed_pictures import cam_panels
from .label_maps import Labels
from .run_folder import Result
from .sections import ImageCard, Picture
from .tested_run import TestedRun

__all__ = ['ImageMaps', 'make_card', 'read_maps', 'shrink']

RGB = NDArray[np.uint8]  # (H, W, 3)


def shrink(picture: RGB, size: int) -> RGB:
    """Make the greater side of a picture ``size`` pixels, if it is more.

    Args:
        picture (ndarray): RGB, uint8, (H, W, 3).
        size (int): Pixels.

    Returns:
        ndarray: RGB, uint8.
    """
    image = Image.fromarray(picture)
    image.thumbnail((size, size), Image.Resampling.BOX)
    return np.asarray(image)


@dataclass
class ImageMaps:
    """The label maps of one image.

    Attributes:
        index: Of the image in its set.
        samples: What each run predicted; None where it could not.
        labels: Label map of each shown result, in the order of the runs, the
            main result of each run last.
        truth: Ground truth, if there is some.
    """

    index: int
    samples: list[SegDataSample | None]
    labels: list[tuple[TestedRun, Result, Labels]] = field(
        default_factory=list
    )
    truth: Labels | None = None

    def of(self, result: Result) -> Labels | None:
        """Return the label map of a result."""
        found = (m for _, r, m in self.labels if r is result)
        return next(found, None)

    def agreement(self, result: Result) -> list[float]:
        """Compare what the first run wrote with what it predicts now.

        Args:
            result (Result): Of the first run.

        Returns:
            list[float]: Share of pixels that agree; none where there are not
            both label maps.
        """
        # Leave out what is not both on disk and predicted
        written, sample = self.of(result), self.samples[0]
        if (
            written is None
            or result.label_dir is None
            or sample is None
            or result.field not in sample
        ):
            return []
        # Count the pixels that agree
        predicted = sample.get(result.field).data[0].cpu().numpy()
        return [float(np.mean(predicted == written))]


def read_maps(runs: Sequence[TestedRun], index: int) -> ImageMaps:
    """Read or predict all label maps of an image.

    Args:
        runs (Sequence[TestedRun]): Runs on the same images.
        index (int): Of the image.

    Returns:
        ImageMaps: What there is.
    """
    # Predict by every run that has a model
    maps = ImageMaps(index, [run.predict(index) for run in runs])
    for run, sample in zip(runs, maps.samples, strict=True):
        # Add the label maps of every result, main one last
        for result in reversed(run.shown):
            labels = run.label_map(result, index, sample)
            if labels is not None:
                maps.labels.append((run, result, labels))
        # Take the ground truth of the first run that has it
        if maps.truth is None:
            maps.truth = run.images.truth(run.main, index)
    return maps


def make_card(
    runs: Sequence[TestedRun],
    maps: ImageMaps,
    score: float | None,
    note: str,
    picture_size: int,
) -> ImageCard:
    """Paint an image with everything that is known of it.

    Args:
        runs (Sequence[TestedRun]): Runs on the same images.
        maps (ImageMaps): From :func:`read_maps`.
        score (float, optional): Of the image.
        note (str): Beside the name.
        picture_size (int): Greatest side of a picture, pixels.

    Returns:
        ImageCard: The image; CAM of each class; masks by level; label maps;
        ground truth; errors.
    """
    # Paint the kinds of pictures in their order on the card
    path = runs[0].images.paths[maps.index]
    image = read_rgb(path)
    pictures = [
        Picture('image', image, 'image'),
        *_cam_pictures(runs, maps, image),
        *_mask_pictures(maps, image),
        *_label_pictures(runs, maps, image),
    ]
    # Shrink them, and add names and score
    return ImageCard(
        name=runs[0].images.names[maps.index],
        classes=_class_names(runs, maps),
        pictures=[
            Picture(p.title, shrink(p.image, picture_size), p.group)
            for p in pictures
        ],
        score=score,
        note=note,
    )


def _cam_pictures(
    runs: Sequence[TestedRun], maps: ImageMaps, image: RGB
) -> list[Picture]:
    # Take the first run whose predictions come with CAMs
    for run, sample in zip(runs, maps.samples, strict=True):
        route = run.main.field
        if sample is not None and f'{route}_cams' in sample:
            panels = cam_panels(image, sample, route, run.images.classes)
            return [Picture(f'CAM {n}', p, 'CAMs') for n, p in panels]
    return []


def _mask_pictures(maps: ImageMaps, image: RGB) -> list[Picture]:
    # Take the first masks that have the image's size
    for sample in maps.samples:
        masks = getattr(sample, 'sam_masks', None)
        if masks is not None and masks.size == image.shape[:2]:
            # Paint each level that has masks
            counts = masks.level_counts()
            return [
                Picture(
                    f'{LEVEL_NAMES[level]} masks ({counts[level]})',
                    paint_masks(image, masks, level),
                    'masks',
                )
                for level in (2, 1, 0)
                if counts[level]
            ]
    return []


def _label_pictures(
    runs: Sequence[TestedRun], maps: ImageMaps, image: RGB
) -> list[Picture]:
    pictures, errors = [], []
    # Paint each label map, named after its run where there are several
    for run, result, labels in maps.labels:
        if labels.shape != image.shape[:2]:
            continue
        title = result.title
        if len(runs) > 1:
            title = f'{title} ({run.run.name})'
        painted = paint_labels(image, labels, run.images.palette, borders=True)
        pictures.append(Picture(title, painted, 'label maps'))
        # Show the errors of the main result
        if maps.truth is not None and result is run.main:
            painted = paint_errors(image, labels, maps.truth)
            errors.append(Picture(f'errors of {title}', painted, 'errors'))
    if maps.truth is not None:
        painted = paint_labels(
            image, maps.truth, runs[0].images.palette, borders=True
        )
        pictures.append(Picture('ground truth', painted, 'ground truth'))
    return [*pictures, *errors]


def _class_names(runs: Sequence[TestedRun], maps: ImageMaps) -> list[str]:
    """Name the image-level labels; else those of the truth or main map."""
    classes = runs[0].images.classes
    # Prefer the labels that the seeds were made from
    for sample in maps.samples:
        present = getattr(sample, 'image_labels', None)
        if present is not None:
            return [classes[c + 1] for c in present.nonzero()[:, 0].tolist()]
    # Read the classes off a label map
    labels = maps.truth if maps.truth is not None else maps.of(runs[0].main)
    found = [] if labels is None else np.unique(labels).tolist()
    return [classes[i] for i in found if 0 < i < len(classes)]
