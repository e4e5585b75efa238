# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The first paragraph of the report: what it shows, and the best scores."""

from collections.abc import Mapping, Sequence

from .run_folder import Result, RunFolder
from .run_tables import split_of
from .sections import Prose

__all__ = ['opening']

_SCORES = 'the scores of all runs, the IoU of each class, '
_SORT = 'Click on the head of a column to sort by it.'
_IMAGES = f', and images with CAMs, masks and label maps. {_SORT}'
_RANKED = (
    ', and images, worst first, with CAMs, masks, label maps and errors. '
    f'{_SORT}'
)


def opening(
    runs: Sequence[RunFolder],
    results: Sequence[Result],
    image_counts: Mapping[str, int],
    images: bool,
) -> Prose:
    """Say what the page shows, the best score of each split, and what follows.

    Args:
        runs (Sequence[RunFolder]): All runs of the page.
        results (Sequence[Result]): Their results.
        image_counts (Mapping[str, int]): Number of images by run name, where
            the metric did not count them.
        images (bool): Whether the page has images.

    Returns:
        Prose: The section on top.
    """
    # Count what there is
    tests = sum(bool(run.record) for run in runs)
    parts = [
        f'{number} {what}{"s" * (number > 1)}'
        for number, what in ((tests, 'test'), (len(runs) - tests, 'training'))
        if number
    ]
    first = f'This page shows {" and ".join(parts)}.'
    # Name the best result of each split
    best = _best_of_each_split(results)
    items = [_best_line(split, one, image_counts) for split, one in best]
    # Say where to look for what
    follows = (
        f'Below: {_SCORES if best else ""}other numbers and learning curves'
        f'{(_RANKED if best else _IMAGES) if images else "."}'
    )
    return Prose('What this page shows', [f'{first} {follows}'], items)


def _best_of_each_split(
    results: Sequence[Result],
) -> list[tuple[str, Result]]:
    best: dict[str, Result] = {}
    for result in results:
        miou = result.score('mIoU')
        if miou is None:
            continue
        split = split_of(result)
        before = best.get(split)
        if before is None or miou > (before.score('mIoU') or 0):
            best[split] = result
    return list(best.items())


def _best_line(
    split: str, result: Result, image_counts: Mapping[str, int]
) -> str:
    count = result.score('images') or image_counts.get(result.run.name)
    images = '' if count is None else f' ({count:,.0f} images)'
    where = f'on {split}{images}' if split else f'on its images{images}'
    return (
        f'Best {where}: the {result.title} of {result.run.name}, '
        f'{result.score("mIoU"):.2f} % mIoU.'
    )
