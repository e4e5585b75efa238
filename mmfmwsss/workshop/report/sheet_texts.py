# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Write the captions, legends and notes of a sheet of images."""

from collections.abc import Sequence

import numpy as np

from ...visualization.error_kinds import ERROR_COLOURS, ERROR_NAMES
from .sections import ImageCard, LegendEntry
from .tested_run import TestedRun

__all__ = ['doubt', 'legends', 'score_note', 'sheet_caption']

_SAME = 0.99  # share of pixels; rounding on another machine moves a few


def score_note(
    score: float | None, scored: bool, place: int | None, total: int
) -> str:
    """Write the score of a card and its place, for its heading."""
    if score is None:
        return 'not scored'
    parts = [f'mIoU {score:.1f} %' if scored else f'foreground {score:.1f} %']
    if place is not None:
        parts.append(f'rank {place} of {total}')
    return ', '.join(parts)


def sheet_caption(
    runs: Sequence[TestedRun],
    ranked: int,
    shown: int,
    total: int,
    scored: bool,
) -> str:
    """Say how the images of a sheet were chosen, and what their score is."""
    # Say what the score is
    run = runs[0]
    what = f'{run.main.title} (run {run.run.name})'
    if scored:
        score = (
            f'mIoU of the {what} within the image (mean over the labels that '
            'are predicted or true there, background included)'
        )
    else:
        score = (
            f'share of the pixels that the {what} calls foreground; there is '
            'no ground truth to score with'
        )
    # Say how the images were chosen
    if not ranked:
        how = (
            f'{shown} of {total} images, spread evenly and predicted for this '
            'page, because the run wrote no label maps'
        )
    elif shown == ranked:
        how = f'All {shown} images'
    else:
        how = (
            f'{shown} of {ranked} images: the lowest {(shown + 1) // 2}, and '
            'the others spread evenly over the ranking up to the highest'
        )
    # Add what keeps runs from being predicted
    trouble = ''.join(f' {r.trouble}' for r in runs if r.trouble)
    return (
        f'{how}. Score: {score}. Levels without a mask are not shown.{trouble}'
    )


def doubt(agreement: Sequence[float]) -> str:
    """Tell when the CAMs may not be those that made the label maps."""
    if not agreement or min(agreement) > _SAME:
        return ''
    return (
        ' The CAMs were made again for this page, by a model that is not '
        'quite that of the run: its label maps agree with those on disk in '
        f'{100 * float(np.mean(agreement)):.1f} % of the pixels. Weights, '
        'masks or code have changed since.'
    )


def legends(
    runs: Sequence[TestedRun], cards: Sequence[ImageCard]
) -> dict[str, list[LegendEntry]]:
    """Collect the colours of the classes shown and of any errors."""
    # Name the classes that the cards show
    images = runs[0].images
    shown = {name for card in cards for name in card.classes}
    found = {
        'Label maps': [
            LegendEntry(name, images.palette[label])
            for label, name in enumerate(images.classes)
            if name in shown
        ]
    }
    # Name the kinds of errors, if a card shows some
    if any(p.group == 'errors' for card in cards for p in card.pictures):
        found['Errors'] = [
            LegendEntry(ERROR_NAMES[kind], colour)
            for kind, colour in ERROR_COLOURS.items()
        ]
    return found
