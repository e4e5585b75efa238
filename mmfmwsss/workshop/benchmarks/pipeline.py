# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Measure masks and seeds of whole runs on more and more pictures.

The commands of PartWorld's recipe with the tiny SAM and the tiny CLIP, whose
prompts are not trained, for the cost does not depend on it. Time is to grow
linearly with the pictures, and memory not at all.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..partworld.files import PartWorldRecord, write_partworld
from .comparison import Row, Settings, check
from .growth import ROOT, CommandCost, growth, run_tool
from .timing import Timing

__all__ = ['measure_pipeline']

STEPS = dict(masks='partworld_sam_masks', seeds='partworld_seed')
# A picture among many may cost so much more than one among few.
LIMIT = 1.5
MEMORY_LIMIT = 1.15
# Seconds by which start-ups differ.
NOISE = 0.5


def measure_pipeline(settings: Settings) -> Iterator[Row]:
    """Measure three numbers of pictures, and the largest in two processes."""
    counts = settings.images or (
        (2, 4, 8) if settings.quick else (40, 80, 160)
    )
    costs: dict[str, list[CommandCost]] = {step: [] for step in STEPS}
    with tempfile.TemporaryDirectory() as folder:
        for count in counts:
            for step, cost in _run(Path(folder, str(count)), count, 1):
                costs[step].append(cost)
                yield _row(step, count, 1, cost)
        # The largest once more, in two processes
        count = max(counts)
        for step, cost in _run(Path(folder, 'processes'), count, 2):
            row = _row(step, count, 2, cost)
            row.notes |= _summary(counts, costs[step])
            yield row
    # Refuse a growth that is faster than linear
    if not settings.quick:
        for step in STEPS:
            check_growth(step, counts, costs[step])


def _run(
    folder: Path, count: int, processes: int
) -> Iterator[tuple[str, CommandCost]]:
    """Draw pictures, and run both steps on them."""
    folder.mkdir()
    root = folder / 'data'
    write_partworld(root, PartWorldRecord(seed=2012, train=count, val=0))
    for step, name in STEPS.items():
        # Inherit the recipe, but for the checkpoint of prompts
        config = folder / f'{step}.py'
        base = ROOT / 'configs' / 'fmwsss' / f'{name}.py'
        config.write_text(f'_base_ = {str(base)!r}\nload_from = None\n')
        cost = run_tool(
            ['tools/test.py', str(config)],
            folder,
            dict(PARTWORLD_ROOT=str(root)),
            threads=1,
            processes=processes,
        )
        yield step, cost


def check_growth(
    step: str, counts: tuple[int, ...], costs: list[CommandCost]
) -> None:
    """Refuse times that grow faster than linearly, and memory that grows.

    Args:
        step (str): Of ``STEPS``, for the error.
        counts (tuple[int, ...]): Three numbers of pictures, ascending.
        costs (list[CommandCost]): Of each.

    Raises:
        Unequal: If they do.
    """
    # Compare slopes of the CPU time, which others on the machine disturb less
    faster = growth(counts, [cost.cpu for cost in costs], NOISE)
    check(f'{step}: costs of a picture among many and few', faster, LIMIT)
    memory = costs[-1].peak_mb / costs[0].peak_mb
    check(f'{step}: memory for many and few pictures', memory, MEMORY_LIMIT)


def _summary(
    counts: tuple[int, ...], costs: list[CommandCost]
) -> dict[str, str]:
    """Describe how a step grows."""
    faster = growth(counts, [cost.cpu for cost in costs])
    memory = costs[-1].peak_mb / costs[0].peak_mb
    slope = (costs[-1].wall - costs[0].wall) / (counts[-1] - counts[0])
    return {
        'a further 1,000 pictures': f'{1000 * slope:.0f} s',
        'start-up': f'{costs[0].wall - slope * counts[0]:.1f} s',
        'last slope over first, CPU': f'{faster:.2f}',
        'memory of most over fewest': f'{memory:.2f}',
    }


def _row(step: str, count: int, processes: int, cost: CommandCost) -> Row:
    timing = Timing(
        *(cost.wall, cost.wall, cost.wall, cost.cpu, cost.system),
        peak_mb=cost.peak_mb,
        repeats=1,
    )
    case = f'{step} of {count} pictures, {processes} process(es)'
    return Row(case, '', 1, dict(ours=timing))
