# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Choose the images to show, worst first; one sheet a set of images."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from .image_cards import make_card, read_maps
from .label_maps import Ranking, rank_maps
from .sections import ImageCard, ImageSheet
from .sheet_texts import doubt, legends, score_note, sheet_caption
from .tested_run import TestedRun

__all__ = ['choose_images', 'group_runs', 'image_sheet']


def choose_images(order: Sequence[int], count: int) -> list[int]:
    """Choose the worst images, and others to compare them with.

    Args:
        order (Sequence[int]): Images, worst first.
        count (int): How many to choose.

    Returns:
        list[int]: Worst first. Half of them are the first of ``order``; the
        others are spread evenly over the rest, the last one included.
    """
    if count >= len(order):
        return list(order)
    worst = (count + 1) // 2
    rest = np.linspace(worst, len(order) - 1, count - worst + 1)[1:]
    return [*order[:worst], *(order[i] for i in rest.round().astype(int))]


def group_runs(runs: Sequence[TestedRun]) -> list[list[TestedRun]]:
    """Put runs on the same images together.

    A training is left out where a test of the same images is there; of
    several trainings without a test the last is taken. Runs that have written
    label maps come first.

    Args:
        runs (Sequence[TestedRun]): In the order in which they were made.

    Returns:
        list[list[TestedRun]]: A list of runs for each set of images.
    """
    # Group the runs by their pictures
    groups: dict[tuple[str, ...], list[TestedRun]] = {}
    for run in runs:
        groups.setdefault(tuple(run.images.paths), []).append(run)
    chosen = []
    # Prefer tests to trainings, and results on disk to predictions
    for group in groups.values():
        tests = [run for run in group if run.run.record] or group[-1:]
        chosen.append(sorted(tests, key=lambda r: r.main.label_dir is None))
    return chosen


def image_sheet(
    title: str,
    runs: Sequence[TestedRun],
    ranking: Ranking,
    count: int,
    picture_size: int,
) -> ImageSheet:
    """Make the sheet of a group of runs.

    Args:
        title (str): Heading.
        runs (Sequence[TestedRun]): On the same images; the first ranks them.
        ranking (Ranking): Of its main result's label maps on disk; empty if
            there are none.
        count (int): Images to show.
        picture_size (int): Greatest side of a picture, pixels.

    Returns:
        ImageSheet: Worst images first.
    """
    # Choose the images, by rank where there is one
    main = runs[0].main
    order = ranking.order
    total = len(runs[0].images.paths)
    places = {index: place for place, index in enumerate(order, start=1)}
    chosen = choose_images(order, count) or _spread(count, total)
    scored = ranking.areas is not None or any(
        _has_truth(runs[0], index) for index in chosen
    )
    # Draw a card for each image
    cards: list[ImageCard] = []
    agreement: list[float] = []
    for index in tqdm(chosen, desc='pictures', unit='image', disable=None):
        maps = read_maps(runs, index)
        labels = maps.of(main)
        agreement += maps.agreement(main)
        score = ranking.scores.get(index)
        if score is None and labels is not None:
            score = _score_of(labels, index, runs[0], scored)
        note = score_note(score, scored, places.get(index), len(order))
        cards.append(make_card(runs, maps, score, note, picture_size))
    # Put the worst first
    cards.sort(key=_by_score)
    return ImageSheet(
        title=title,
        cards=cards,
        low_first='Worst first' if scored else 'Least foreground first',
        high_first='Best first' if scored else 'Most foreground first',
        legends=legends(runs, cards),
        caption=sheet_caption(runs, len(order), len(cards), total, scored)
        + doubt(agreement),
    )


def _spread(count: int, total: int) -> list[int]:
    """Choose images spread evenly over a data set."""
    places = np.linspace(0, total - 1, min(count, total))
    return [int(place) for place in places.round()]


def _score_of(
    labels: NDArray[Any], index: int, run: TestedRun, scored: bool
) -> float | None:
    """Score one label map; None if the other images have no such score."""
    one = rank_maps([(index, labels)], run.main, run.images)
    return one.scores[index] if (one.areas is not None) == scored else None


def _has_truth(run: TestedRun, index: int) -> bool:
    path = run.images.truth_path(run.main, index)
    return path is not None and path.is_file()


def _by_score(card: ImageCard) -> tuple[bool, float, str]:
    missing = card.score is None
    return missing, card.score or 0.0, card.name
