# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Figures 1, 3 and 4 of the paper, on the images of a reproduction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mmcv
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ...structures import SAMMasks
from ...utils import UserInputError
from ..painting import paint_errors, paint_labels, paint_masks
from ..seed_pictures import cam_panels
from ..sheet import picture_sheet
from .image_cards import shrink
from .image_sheets import choose_images
from .label_maps import Labels, rank
from .run_folder import Result, find_runs
from .sections import ImageCard, ImageSheet, LegendEntry, Picture
from .sheet_texts import legends, score_note
from .tested_run import TestedRun, open_tested_run

__all__ = ['PaperFigure', 'draw_figures']

RGB = NDArray[np.uint8]  # (H, W, 3)

_TITLES = {
    1: 'CAMs and seeds of the classification and the segmentation prompts',
    3: 'masks of SAM and the seeds made of them',
    4: 'seeds of the models of Table 1',
}
_CAPTIONS = {
    1: 'One row a class, with its CAM as the seeder got it, stretched to its '
    'own range; the seeds show all classes of the image.',
    3: "All masks of an image, small ones on top, with the paper's changes "
    'one after another, and the seeds that SAMS makes of them without CAA.',
    4: 'Seeds by the labels of Table 1.',
}
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
_NEEDS = {1: {'seeds'}, 3: {'seeds', 'mask_settings'}, 4: {'seeds', 'clip_es'}}
_NOT_PRINTED = 'errors'  # group that the picture of a figure leaves out


@dataclass(frozen=True)
class PaperFigure:
    """A figure of the paper with images of a reproduction.

    Attributes:
        number: Its number.
        cards: Its rows, worst fine seed first; all have the same columns.
        legends: Colours that the pictures use, under headings.
        chosen: How the images were chosen.
    """

    number: int
    cards: Sequence[ImageCard]
    legends: Mapping[str, Sequence[LegendEntry]]
    chosen: str

    @property
    def title(self) -> str:
        """Number and subject."""
        return f'Figure {self.number}: {_TITLES[self.number]}'

    @property
    def caption(self) -> str:
        """What is shown."""
        return f'{_CAPTIONS[self.number]} {self.chosen}'

    def section(self) -> ImageSheet:
        """The figure as a section of an HTML report."""
        return ImageSheet(
            self.title,
            self.cards,
            legends=self.legends,
            caption=self.caption,
        )

    def picture(self, rows: int = 4) -> RGB:
        """The figure as one picture.

        Args:
            rows (int): Most rows: the worst one, the others spread evenly
                over the better half.

        Returns:
            ndarray: RGB, uint8, (H, W, 3).
        """
        last = len(self.cards) - 1
        places = np.linspace(len(self.cards) // 2, last, rows - 1)
        chosen = sorted({0, *places.round().astype(int).tolist()})
        cards = [self.cards[place] for place in chosen]
        printed = [
            [p for p in card.pictures if p.group != _NOT_PRINTED]
            for card in cards
        ]
        return picture_sheet(
            [[p.image for p in pictures] for pictures in printed],
            [p.title for p in printed[0]],
            [f'{card.name}, {card.note}' for card in cards],
        )


class _Scene:
    """One image and what the runs made of it."""

    def __init__(self, runs: Mapping[str, TestedRun], index: int) -> None:
        seeds = runs['seeds']
        self.runs = runs
        self.index = index
        self.path = Path(seeds.images.paths[index])
        self.image: RGB = mmcv.imread(str(self.path), channel_order='rgb')
        self.truth = seeds.images.truth(_result(seeds, 'fine_seed'), index)
        # The label maps of CLIP-ES are on disk, and its CAMs are not shown.
        self.samples: dict[str, Any] = {
            stage: run.predict(index)
            for stage, run in runs.items()
            if stage != 'clip_es'
        }

    @property
    def classes(self) -> list[str]:
        """Names of the image-level labels."""
        names = self.runs['seeds'].images.classes
        present = self.samples['seeds'].image_labels.nonzero()[:, 0].tolist()
        return [names[c + 1] for c in present]

    def labels(self, stage: str, route: str) -> Labels | None:
        """The seed of a route."""
        run = self.runs[stage]
        result = _result(run, route)
        return run.label_map(result, self.index, self.samples.get(stage))

    def seed(self, title: str, stage: str, route: str, group: str) -> Picture:
        """The seed of a route as a picture."""
        return self._painted(title, self.labels(stage, route), group)

    def errors(self, title: str, stage: str, route: str) -> Iterator[Picture]:
        """Where the seed of a route is wrong, if that can be told."""
        labels = self.labels(stage, route)
        if labels is not None and self.truth is not None:
            painted = paint_errors(self.image, labels, self.truth)
            yield Picture(f'errors of {title}', painted, _NOT_PRINTED)

    def cams(self, route: str) -> dict[str, RGB]:
        """The CAM that made a seed, by class."""
        images = self.runs['seeds'].images
        sample = self.samples['seeds']
        return dict(cam_panels(self.image, sample, route, images.classes))

    def masks(self, stage: str, route: str) -> SAMMasks:
        """The masks that a seed was made of."""
        settings = self.runs[stage].run.config.model.routes[route]
        if settings.get('mask_dir') is None:
            return self.samples[stage].sam_masks
        folder = Path(settings.mask_dir)
        return SAMMasks.load(folder / f'{self.path.stem}.json')

    def ends(self) -> tuple[list[Picture], list[Picture]]:
        """First and last columns of every figure."""
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


def draw_figures(
    folders: Mapping[str, Path], images: int = 12, picture_size: int = 240
) -> list[PaperFigure]:
    """Draw the figures for which there are runs.

    Half of the images are those with the worst fine seeds, the others are
    spread over the rest.

    Args:
        folders (Mapping[str, Path]): Folder of the tests ``seeds``,
            ``clip_es`` and ``mask_settings``; none is necessary.
        images (int): Most images of a figure.
        picture_size (int): Greatest side of a picture, pixels.

    Returns:
        list[PaperFigure]: Figure 1 needs ``seeds``, Figure 3 also
        ``mask_settings``, Figure 4 ``seeds`` and ``clip_es``.

    Raises:
        UserInputError: If a run, its images or its weights are not there.
    """
    numbers = [n for n, needs in _NEEDS.items() if needs <= folders.keys()]
    if not numbers or images < 1:
        return []
    runs = {stage: _open(folder) for stage, folder in folders.items()}
    seeds = runs['seeds']
    ranking = rank(_result(seeds, 'fine_seed'), seeds.images)
    order = ranking.order
    chosen = choose_images(order, images)
    cards: dict[int, list[ImageCard]] = {number: [] for number in numbers}
    for index in tqdm(chosen, desc='figures', unit='image', disable=None):
        scene = _Scene(runs, index)
        score = ranking.scores[index]
        note = score_note(
            score,
            ranking.areas is not None,
            order.index(index) + 1,
            len(order),
        )
        for number in numbers:
            for name, classes, pictures, extra in _ROWS[number](scene):
                cards[number].append(
                    ImageCard(
                        name,
                        classes,
                        [
                            Picture(
                                p.title, shrink(p.image, picture_size), p.group
                            )
                            for p in pictures
                        ],
                        score,
                        f'{note}{extra}',
                    )
                )
    text = (
        f'{len(chosen)} of {len(order)} images: the worst fine seeds and, '
        'spread evenly over the rest, others. The score is that of the fine '
        'seed.'
    )
    return [
        PaperFigure(number, cards[number], legends([seeds], rows), text)
        for number, rows in cards.items()
    ]


_Row = tuple[str, list[str], list[Picture], str]


def _prompt_rows(scene: _Scene) -> Iterator[_Row]:
    """Figure 1: a row for each class."""
    first, last = scene.ends()
    columns = {'Cls.': 'coarse_seed', 'Seg.': 'fine_seed'}
    cams = {route: scene.cams(route) for route in columns.values()}
    for name in scene.classes:
        pictures = list(first)
        for prompts, route in columns.items():
            group = f'{prompts} prompts'
            pictures += [
                Picture(f'{prompts} CAM', cams[route][name], group),
                scene.seed(f'{prompts} seed', 'seeds', route, group),
            ]
        yield f'{scene.path.stem}: {name}', [name], [*pictures, *last], ''


def _mask_rows(scene: _Scene) -> Iterator[_Row]:
    """Figure 3."""
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
    note = f', masks {", ".join(counts)}'
    yield scene.path.stem, scene.classes, [*pictures, *last], note


def _model_rows(scene: _Scene) -> Iterator[_Row]:
    """Figure 4."""
    first, last = scene.ends()
    pictures = list(first)
    errors: list[Picture] = []
    for title, (stage, route) in _SEED_COLUMNS.items():
        pictures.append(scene.seed(title, stage, route, 'seeds'))
        errors += scene.errors(title, stage, route)
    yield scene.path.stem, scene.classes, [*pictures, *last, *errors], ''


_ROWS = {1: _prompt_rows, 3: _mask_rows, 4: _model_rows}


def _open(folder: Path) -> TestedRun:
    (run,) = find_runs([folder])
    tested = open_tested_run(run)
    if tested is None or tested.model is None:
        reason = tested.trouble if tested else 'its config scores none'
        raise UserInputError(
            f'Expected a test of seeds in {folder}, such as that of '
            f'configs/fmwsss/ablation/seeds.py, but: {reason}'
        )
    return tested


def _result(tested: TestedRun, field: str) -> Result:
    return next(r for r in tested.run.results if r.field == field)
