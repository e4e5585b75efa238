# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Find the images that a run tested, and rank its label maps.

Ground truth is opened here to score what is done; nothing reads it back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS
from numpy.typing import NDArray
from tqdm import tqdm

from ...datasets import PseudoLabelDataset
from ...datasets.wrapped_datasets import inner_datasets
from ...evaluation.metrics import class_areas, intersection_over_union
from ...utils import UserInputError
from ...utils.image_names import image_name_of
from ...utils.labels import IGNORE_LABEL
from ...utils.palette_png import read_label_png
from .run_folder import Result, RunFolder

__all__ = [
    'ImageSet',
    'Ranking',
    'open_image_set',
    'rank',
    'rank_maps',
    'score_image',
]

Labels = NDArray[np.integer]


@dataclass(frozen=True)
class ImageSet:
    """The images of a run's test, read from the data set of its config.

    Attributes:
        dataset: The data set, for what the model is to predict.
        paths: File of each image, in the data set's order.
        names: Name of each image, that of its label maps.
        classes: Names of the labels, background first.
        palette: RGB of each label.
    """

    dataset: Any
    paths: list[str]
    names: list[str]
    classes: Sequence[str]
    palette: Sequence[Sequence[int]]

    def truth_path(self, result: Result, index: int) -> Path | None:
        """Find the ground truth, where the result may be scored with it."""
        # Prefer the masks that the metric was given
        if result.ground_truth_dir is not None:
            return result.ground_truth_dir / f'{self.names[index]}.png'
        # Fall back on the data set's annotations
        if not result.reads_annotations:
            return None
        inner = inner_datasets(self.dataset)
        if any(isinstance(one, PseudoLabelDataset) for one in inner):
            return None  # seeds are no ground truth
        named = self.dataset.get_data_info(index).get('seg_map_path')
        return Path(named) if named else None

    def truth(self, result: Result, index: int) -> Labels | None:
        """Read the ground truth of an image, (H, W); None if there is none."""
        path = self.truth_path(result, index)
        if path is None or not path.is_file():
            return None
        return read_label_png(path)


def open_image_set(run: RunFolder) -> ImageSet | None:
    """Open the data set of a run's test; None if it has none.

    Raises:
        UserInputError: If the data are not there (any more).
    """
    # Skip runs that tested nothing
    loader = run.config.get('test_dataloader')
    if not loader or not run.results:
        return None
    # Build the data set as the run did
    init_default_scope('mmseg')
    try:
        dataset = DATASETS.build(loader.dataset)
    except FileNotFoundError as error:
        raise UserInputError(
            f'Expected the images of {run.path}, but {error.filename} is not '
            'there. Start the report in the folder where the run was started.'
        ) from error
    # Collect paths, names and classes
    records = [dataset.get_data_info(i) for i in range(len(dataset))]
    meta = dataset.metainfo
    return ImageSet(
        dataset,
        [record['img_path'] for record in records],
        [image_name_of(record) for record in records],
        meta['classes'],
        meta['palette'],
    )


@dataclass(frozen=True)
class Ranking:
    """Scores of the label maps of a result.

    Attributes:
        scores: Of each image by its index: mIoU in percent or, without
            ground truth, share of foreground in percent. Images without a
            label map are not there.
        areas: Sum of ``class_areas``, (3, 1 + C); None without ground truth.
    """

    scores: dict[int, float]
    areas: NDArray[np.int64] | None

    @property
    def order(self) -> list[int]:
        """List the indices by rising score."""
        return sorted(self.scores, key=lambda i: (self.scores[i], i))


def score_image(labels: Labels, areas: NDArray[Any] | None) -> float:
    """Score one label map.

    Args:
        labels (ndarray): Predicted labels, (H, W).
        areas (ndarray, optional): ``class_areas`` against the ground truth.

    Returns:
        float: In percent: the mean IoU over the labels that are predicted or
        true in this image, background included; without ground truth the
        share of foreground pixels.
    """
    if areas is None:
        foreground = (labels > 0) & (labels != IGNORE_LABEL)
        return float(100 * foreground.mean())
    iou = intersection_over_union(areas)
    return float(100 * np.nanmean(iou)) if (areas[1:] > 0).any() else 100.0


def rank(result: Result, images: ImageSet) -> Ranking:
    """Score every label map that a result has on disk."""
    # Score nothing without files
    if result.label_dir is None:
        return Ranking({}, None)
    # Find the label maps that were written
    maps = (
        (index, path)
        for index, name in enumerate(images.names)
        if (path := result.label_dir / f'{name}.png').is_file()
    )
    # Score them, with a progress bar
    bar = tqdm(
        maps,
        total=len(images.paths),
        desc=f'score {result.run.name} {result.title}',
        unit='image',
        disable=None,
    )
    return rank_maps(
        ((index, read_label_png(path)) for index, path in bar), result, images
    )


def rank_maps(
    maps: Iterable[tuple[int, Labels]], result: Result, images: ImageSet
) -> Ranking:
    """Score label maps, given with the index of their image.

    Where some images have ground truth, the others are left out.
    """
    # Keep the share of the foreground for images without truth
    shares: dict[int, float] = {}
    scores: dict[int, float] = {}
    total: NDArray[np.int64] | None = None
    for index, labels in maps:
        truth = images.truth(result, index)
        if truth is None or truth.shape != labels.shape:
            shares[index] = score_image(labels, None)
            continue
        # Score an image, and add its areas to the total
        areas = class_areas(labels, truth, len(images.classes))
        total = areas if total is None else total + areas
        scores[index] = score_image(labels, areas)
    return Ranking(scores or shares, total)
