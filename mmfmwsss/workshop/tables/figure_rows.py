# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""One image and what the runs of a reproduction made of it, as pictures."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...structures import SAMMasks
from ...utils.photos import read_rgb
from ...visualization.painting import paint_errors, paint_labels, paint_masks
from ...visualization.seed_pictures import cam_panels
from ..report.label_maps import Labels
from ..report.run_folder import Result
from ..report.sections import Picture
from ..report.tested_run import TestedRun

__all__ = ['ERRORS', 'FigureRow', 'FigureScene', 'figure_rows', 'result_of']

RGB = NDArray[np.uint8]  # (H, W, 3)

ERRORS = 'errors'  # group of pictures

# Title here and route of each column, with the stage that made it.
_MASK_COLUMNS = {
    'plain': ('mask_settings', 'plain'),
    '+ whole': ('mask_settings', 'more_whole'),
    '+ NMS': ('mask_settings', 'no_filter'),
    '+ filter': ('seeds', 'sams'),
}
_SEED_COLUMNS = {
    'CLIP-ES': ('clip_es', 'manual_crf'),
    'M0': ('seeds', 'classification_crf'),
    'M1': ('seeds', 'coarse_seed'),
    'M2': ('seeds', 'segmentation_crf'),
    'M3': ('seeds', 'fine_seed'),
}


def result_of(tested: TestedRun, field: str) -> Result:
    """Return the result of a field of a run."""
    return next(r for r in tested.run.results if r.field == field)


class FigureScene:
    """One image and what the runs made of it.

    Args:
        runs (Mapping[str, TestedRun]): The tests ``seeds`` and, if they are
            there, ``clip_es`` and ``mask_settings``.
        index (int): Of the image.
    """

    def __init__(self, runs: Mapping[str, TestedRun], index: int) -> None:
        # Read the image and its ground truth
        seeds = runs['seeds']
        self.runs = runs
        self.index = index
        self.name = seeds.images.names[index]
        self.image: RGB = read_rgb(seeds.images.paths[index])
        self.truth = seeds.images.truth(result_of(seeds, 'fine_seed'), index)
        # The label maps of CLIP-ES are on disk, and its CAMs are not shown.
        self.samples: dict[str, Any] = {
            stage: run.predict(index)
            for stage, run in runs.items()
            if stage != 'clip_es'
        }

    @property
    def classes(self) -> list[str]:
        """Name the image-level labels."""
        names = self.runs['seeds'].images.classes
        present = self.samples['seeds'].image_labels.nonzero()[:, 0].tolist()
        return [names[c + 1] for c in present]

    def labels(self, stage: str, route: str) -> Labels | None:
        """Return the seed of a route."""
        run = self.runs[stage]
        result = result_of(run, route)
        return run.label_map(result, self.index, self.samples.get(stage))

    def seed(self, title: str, stage: str, route: str, group: str) -> Picture:
        """Paint the seed of a route as a picture."""
        return self._painted(title, self.labels(stage, route), group)

    def errors(self, title: str, stage: str, route: str) -> Iterator[Picture]:
        """Paint where the seed of a route is wrong, if that can be told."""
        labels = self.labels(stage, route)
        if labels is not None and self.truth is not None:
            painted = paint_errors(self.image, labels, self.truth)
            yield Picture(f'errors of {title}', painted, ERRORS)

    def cams(self, route: str) -> dict[str, RGB]:
        """Return the CAM that made a seed, by class."""
        images = self.runs['seeds'].images
        sample = self.samples['seeds']
        return dict(cam_panels(self.image, sample, route, images.classes))

    def masks(self, stage: str, route: str) -> SAMMasks:
        """Return the masks that a seed was made of."""
        settings = self.runs[stage].run.config.model.routes[route]
        if settings.get('mask_dir') is None:
            return self.samples[stage].sam_masks
        folder = Path(settings.mask_dir)
        return SAMMasks.load(folder / f'{self.name}.json')

    def ends(self) -> tuple[list[Picture], list[Picture]]:
        """Make the first and last columns of every figure."""
        first = [Picture('image', self.image, 'image')]
        if self.truth is None:
            return first, []
        title = 'ground truth'
        return first, [self._painted(title, self.truth, title)]

    def _painted(
        self, title: str, labels: Labels | None, group: str
    ) -> Picture:
        palette = self.runs['seeds'].images.palette
        if labels is None:
            return Picture(title, np.zeros_like(self.image), group)
        painted = paint_labels(self.image, labels, palette, borders=True)
        return Picture(title, painted, group)


# Name, classes, pictures, what to add to the note.
FigureRow = tuple[str, list[str], list[Picture], str]


def _prompt_rows(scene: FigureScene) -> Iterator[FigureRow]:
    """Make the rows of Figure 1, one for each class."""
    # Compute the CAMs of both prompts
    first, last = scene.ends()
    columns = {'Cls.': 'coarse_seed', 'Seg.': 'fine_seed'}
    cams = {route: scene.cams(route) for route in columns.values()}
    # Pair CAM and seed of each class, by either kind of prompts
    for name in scene.classes:
        pictures = list(first)
        for prompts, route in columns.items():
            group = f'{prompts} prompts'
            pictures += [
                Picture(f'{prompts} CAM', cams[route][name], group),
                scene.seed(f'{prompts} seed', 'seeds', route, group),
            ]
        yield f'{scene.name}: {name}', [name], [*pictures, *last], ''


def _mask_rows(scene: FigureScene) -> Iterator[FigureRow]:
    """Make the row of Figure 3."""
    # Pair masks and seed of each setting
    first, last = scene.ends()
    pictures, counts = list(first), []
    for title, (stage, route) in _MASK_COLUMNS.items():
        masks = scene.masks(stage, route)
        counts.append(str(len(masks)))
        painted = paint_masks(scene.image, masks)
        pictures += [
            Picture(f'masks, {title}', painted, 'masks'),
            scene.seed(f'seed, {title}', stage, route, 'seeds'),
        ]
    # Note the number of masks
    note = f', masks {", ".join(counts)}'
    yield scene.name, scene.classes, [*pictures, *last], note


def _model_rows(scene: FigureScene) -> Iterator[FigureRow]:
    """Make the row of Figure 4."""
    # Show the seed of each model, and collect its errors
    first, last = scene.ends()
    pictures = list(first)
    errors: list[Picture] = []
    for title, (stage, route) in _SEED_COLUMNS.items():
        pictures.append(scene.seed(title, stage, route, 'seeds'))
        errors += scene.errors(title, stage, route)
    yield scene.name, scene.classes, [*pictures, *last, *errors], ''


_FIGURES = {1: _prompt_rows, 3: _mask_rows, 4: _model_rows}


def figure_rows(number: int, scene: FigureScene) -> Iterator[FigureRow]:
    """Make the rows of a figure that an image gives.

    Args:
        number (int): Of the paper's figure: 1, 3 or 4.
        scene (FigureScene): The image.

    Yields:
        tuple: Name, names of the classes, pictures, addition to the note.
    """
    yield from _FIGURES[number](scene)
