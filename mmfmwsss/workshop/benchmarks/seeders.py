# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Time SAMS against a loop over masks, and the dense CRF against pydensecrf.

One image of 375 x 500 pixels with 100 masks and 3 classes, on random smooth
CAMs. SAMS is timed warm, as run after run, and cold: with other data passing
through the caches between two runs, as in a pipeline.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...models.seeding import SAMS, DenseCRF
from ...structures import SAMMasks
from .comparison import Row, Settings, check, is_installed, rows_of_threads

__all__ = ['compare_seeders', 'discs', 'loop_seed']

SIZE, MASKS, CLASSES = (375, 500), 100, 3
# Share of the pixels at which rounding may give another seed.
LIMIT = 1e-4
# Share at which the two CRFs may differ, which approximate differently.
CRF_LIMIT = 0.02
# Bytes that leave nothing of the masks in a cache.
OTHER_DATA = 1 << 28


def compare_seeders(settings: Settings) -> Iterator[Row]:
    """Measure SAMS warm and cold, then the CRFs."""
    size = (40, 50) if settings.quick else SIZE
    repeats = 3 if settings.quick else 21
    # Draw smooth CAMs and a smooth picture
    generator = torch.Generator().manual_seed(0)
    cams = torch.rand(1, CLASSES, 24, 32, generator=generator) - 0.3
    cams = F.interpolate(cams, size, mode='bilinear')[0]
    picture = torch.rand(1, 3, 12, 16, generator=generator) * 255
    picture = F.interpolate(picture, size, mode='bilinear')
    image = picture[0].permute(1, 2, 0).to(torch.uint8)
    classes, masks = torch.arange(CLASSES), discs(size)
    # Compare SAMS with the loop
    sams = SAMS()
    crf = DenseCRF(backend='torch')
    ways: dict[str, Callable[[], Any]] = dict(
        ours=lambda: sams(cams, classes, masks),
        loop=lambda: loop_seed(cams, classes, masks, sams.alpha),
    )
    equality = check(
        'seeds of SAMS and the loop', _differing(*ways.values()), LIMIT
    )
    yield from rows_of_threads(
        'SAMS, warm', equality, ways, repeats, settings.threads
    )
    # Let other data pass through the caches, which is timed as a way, too
    other = torch.zeros(OTHER_DATA, dtype=torch.uint8)
    yield from rows_of_threads(
        'SAMS, cold',
        '',
        {
            'ours': ways['ours'],
            'other data, once through': lambda: other.add_(1),
        },
        repeats,
        settings.threads,
    )
    # Compare the CRFs, the slow ones less often
    ways = dict(ours=lambda: crf(cams, classes, image=image))
    equality = ''
    if is_installed('pydensecrf'):
        library = DenseCRF(backend='pydensecrf')
        ways['pydensecrf'] = lambda: library(cams, classes, image=image)
        equality = check(
            'a share of the pixels of both CRFs',
            _differing(*ways.values()),
            CRF_LIMIT,
        )
    yield from rows_of_threads(
        'dense CRF in torch', equality, ways, 3, settings.threads
    )


def _differing(
    ours: Callable[[], Tensor], theirs: Callable[[], Tensor]
) -> float:
    return float((ours() != theirs()).float().mean())


def discs(size: tuple[int, int]) -> SAMMasks:
    """Make overlapping discs on all levels."""
    # Draw centres and radii
    generator = torch.Generator().manual_seed(0)
    centres = torch.rand(MASKS, 2, generator=generator) * torch.tensor(size)
    radii = 15 + 65 * torch.rand(MASKS, generator=generator)
    # Fill the discs, each on a random level
    grid = torch.stack(
        torch.meshgrid(*map(torch.arange, size), indexing='ij'), dim=-1
    )
    distance = (grid - centres[:, None, None]).pow(2).sum(-1)
    return SAMMasks(
        distance < radii[:, None, None] ** 2,
        torch.randint(0, 3, (MASKS,), generator=generator),
        torch.ones(MASKS),
        torch.ones(MASKS),
    )


def loop_seed(
    cams: Tensor, classes: Tensor, masks: SAMMasks, alpha: float
) -> Tensor:
    """Follow Section 4.2 mask by mask, as one writes it down."""
    # Average each CAM over each mask
    positive = cams.clamp(min=0)
    means = torch.stack(
        [
            torch.stack([(cam * mask).sum() / mask.sum() for cam in positive])
            for mask in masks.masks
        ]
    )
    # Stretch the scores of a class to 0..1, and score the background
    low, high = means.amin(0), means.amax(0)
    scores = (means - low) / (high - low)
    background = (1 - scores.amax(1, keepdim=True)) ** alpha
    # Decide by the highest score
    best, winner = torch.cat([background, scores], dim=1).max(1)
    labels = torch.cat([classes.new_zeros(1), classes + 1])[winner]
    # Paint sub-parts first, then by rising confidence
    order = sorted(
        range(len(masks)), key=lambda i: (int(masks.levels[i]), float(best[i]))
    )
    seed = torch.zeros(masks.size, dtype=torch.uint8, device=cams.device)
    for index in order:
        seed[masks.masks[index]] = labels[index].to(torch.uint8)
    return seed
