# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Figures 1, 3 and 4 of the paper, on the images of a reproduction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ...utils import UserInputError
from ...visualization.sheet import picture_sheet
from ..report.image_cards import shrink
from ..report.image_sheets import choose_images
from ..report.label_maps import rank
from ..report.run_folder import find_runs
from ..report.sections import ImageCard, ImageSheet, LegendEntry, Picture
from ..report.sheet_texts import legends, score_note
from ..report.tested_run import TestedRun, open_tested_run
from .figure_rows import ERRORS, FigureRow, FigureScene, figure_rows, result_of

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
_NEEDS = {1: {'seeds'}, 3: {'seeds', 'mask_settings'}, 4: {'seeds', 'clip_es'}}


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
        """Return number and subject."""
        return f'Figure {self.number}: {_TITLES[self.number]}'

    @property
    def caption(self) -> str:
        """Say what is shown."""
        return f'{_CAPTIONS[self.number]} {self.chosen}'

    def section(self) -> ImageSheet:
        """Return the figure as a section of an HTML report."""
        return ImageSheet(
            self.title,
            self.cards,
            legends=self.legends,
            caption=self.caption,
        )

    def picture(self, rows: int = 4) -> RGB:
        """Draw the figure as one picture.

        Args:
            rows (int): Most rows: the worst one, the others spread evenly
                over the better half.

        Returns:
            ndarray: RGB, uint8, (H, W, 3).
        """
        # Choose the worst row, and others spread over the better half
        last = len(self.cards) - 1
        places = np.linspace(len(self.cards) // 2, last, rows - 1)
        chosen = sorted({0, *places.round().astype(int).tolist()})
        cards = [self.cards[place] for place in chosen]
        # Leave out the errors, which the paper does not print
        printed = [
            [p for p in card.pictures if p.group != ERRORS] for card in cards
        ]
        # Arrange them in a table
        return picture_sheet(
            [[p.image for p in pictures] for pictures in printed],
            [p.title for p in printed[0]],
            [f'{card.name}, {card.note}' for card in cards],
        )


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
    # Find the figures whose runs are there
    numbers = [n for n, needs in _NEEDS.items() if needs <= folders.keys()]
    if not numbers or images < 1:
        return []
    # Choose images by their fine seeds
    runs = {stage: _open(folder) for stage, folder in folders.items()}
    seeds = runs['seeds']
    ranking = rank(result_of(seeds, 'fine_seed'), seeds.images)
    order = ranking.order
    chosen = choose_images(order, images)
    # Draw a card for each row of a figure
    cards: dict[int, list[ImageCard]] = {number: [] for number in numbers}
    for index in tqdm(chosen, desc='figures', unit='image', disable=None):
        scene = FigureScene(runs, index)
        score = ranking.scores[index]
        place = order.index(index) + 1
        note = score_note(score, ranking.areas is not None, place, len(order))
        for number in numbers:
            cards[number] += [
                _card(row, score, note, picture_size)
                for row in figure_rows(number, scene)
            ]
    # Say how the images were chosen
    text = (
        f'{len(chosen)} of {len(order)} images: the worst fine seeds and, '
        'spread evenly over the rest, others. The score is that of the fine '
        'seed.'
    )
    return [
        PaperFigure(number, cards[number], legends([seeds], rows), text)
        for number, rows in cards.items()
    ]


def _card(
    row: FigureRow, score: float, note: str, picture_size: int
) -> ImageCard:
    name, classes, pictures, extra = row
    small = [
        Picture(p.title, shrink(p.image, picture_size), p.group)
        for p in pictures
    ]
    return ImageCard(name, classes, small, score, f'{note}{extra}')


def _open(folder: Path) -> TestedRun:
    # Open the run, which must predict
    (run,) = find_runs([folder])
    tested = open_tested_run(run)
    if tested is None or tested.model is None:
        reason = tested.trouble if tested else 'its config scores none'
        raise UserInputError(
            f'Expected a test of seeds in {folder}, such as that of '
            f'configs/fmwsss/ablation/seeds.py, but: {reason}'
        )
    return tested
