# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Measure masks and seeds of whole runs on more and more pictures.

The commands of PartWorld's recipe with the tiny SAM and the tiny CLIP, whose
prompts are not trained, for the cost does not depend on it. Time is to grow
linearly with the pictures, and memory not at all.
"""

import tempfile
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


def measure_pipeline(settings: Settings) -> list[Row]:
    """Measure three numbers of pictures, and the largest in two processes."""
    counts = settings.images or (
        (2, 4, 8) if settings.quick else (50, 100, 200)
    )
    with tempfile.TemporaryDirectory() as folder:
        found = {n: _run(Path(folder, str(n)), n, 1) for n in counts}
        largest = max(counts)
        both = _run(Path(folder, 'processes'), largest, 2)
    rows = []
    for step in STEPS:
        costs = [found[n][step] for n in counts]
        notes = _summary(counts, costs, settings.quick)
        for count, cost in zip(counts, costs, strict=True):
            rows.append(_row(step, count, 1, cost))
        rows.append(_row(step, largest, 2, both[step]))
        rows[-1].notes |= notes
    return rows


def _run(folder: Path, count: int, processes: int) -> dict[str, CommandCost]:
    """Draw pictures, and run both steps on them."""
    folder.mkdir()
    root = folder / 'data'
    write_partworld(root, PartWorldRecord(seed=2012, train=count, val=0))
    costs = {}
    for step, name in STEPS.items():
        # Inherit the recipe, but for the checkpoint of prompts
        config = folder / f'{step}.py'
        base = ROOT / 'configs' / 'fmwsss' / f'{name}.py'
        config.write_text(f'_base_ = {str(base)!r}\nload_from = None\n')
        costs[step] = run_tool(
            ['tools/test.py', str(config)],
            folder,
            dict(PARTWORLD_ROOT=str(root)),
            threads=1,
            processes=processes,
        )
    return costs


def _summary(
    counts: tuple[int, ...], costs: list[CommandCost], quick: bool
) -> dict[str, str]:
    """Describe the growth; refuse one that is faster than linear."""
    # Compare slopes of the CPU time, which others on the machine disturb less
    faster = growth(counts, [cost.cpu for cost in costs])
    memory = costs[-1].peak_mb / costs[0].peak_mb
    if not quick:
        check('the growth of a picture', faster, LIMIT)
        check('the growth of the memory', memory, MEMORY_LIMIT)
    slope = (costs[-1].wall - costs[0].wall) / (counts[-1] - counts[0])
    return {
        'a further 1,000 pictures': f'{1000 * slope:.0f} s',
        'start-up': f'{costs[0].wall - slope * counts[0]:.1f} s',
        'last slope over first, CPU': f'{faster:.2f}',
        'memory of most over fewest': f'{memory:.2f}',
    }


def _row(step: str, count: int, processes: int, cost: CommandCost) -> Row:
    timing = Timing(
        cost.wall, cost.wall, cost.wall, cost.cpu, 0.0, cost.peak_mb, 1
    )
    case = f'{step} of {count} pictures, {processes} process(es)'
    return Row(case, '', 1, dict(ours=timing))
