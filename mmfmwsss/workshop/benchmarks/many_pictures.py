# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""See that nothing grows faster than the number of pictures.

Tiny pictures with labels pass the check of the data set, superpixels, seeds,
the same once more with nothing left to do, and the data set of stage 2. The
cost of COCO's 82,081 is extrapolated from the last slope;
``--images 5000 20000 82081`` measures it.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from mmengine.registry import DefaultScope

from ...datasets import PseudoLabelDataset
from .comparison import Missing, Row, Settings, is_installed
from .growth import ROOT, CommandCost, growth, run_tool

__all__ = ['draw_pictures', 'measure_many_pictures', 'summarise']

COCO = 82_081
CLASSES = ('cat', 'dog', 'bird')
# Below these seconds between fewest and most pictures, start-up hides it.
TELLING = 2.0
# Numbers of pictures: a second of a mask or seed run is some dozen pictures.
COUNTS, QUICK_COUNTS = (80, 160, 320), (2, 4, 8)


def measure_many_pictures(settings: Settings) -> Iterator[Row]:
    """Measure each step with three numbers of pictures."""
    if not is_installed('skimage'):
        raise Missing('scikit-image, which makes the superpixels')
    counts = settings.images or (QUICK_COUNTS if settings.quick else COUNTS)
    found: dict[str, list[CommandCost]] = {}
    files: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in counts:
            root = Path(folder, str(count))
            draw_pictures(root, count)
            for name, step in _steps(root).items():
                found.setdefault(name, []).append(step())
            files[f'{count} pictures'] = _most_files(root)
    for name, costs in found.items():
        yield Row(name, '', 1, notes=summarise(counts, costs))
    yield Row('files in the fullest folder', '', 1, notes=files)


def draw_pictures(root: Path, count: int) -> None:
    """Write pictures of 32 x 24 pixels, their labels and classes."""
    images = root / 'images'
    images.mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = ['image,labels']
    for number in range(count):
        # Draw a square of another colour
        picture = np.full((24, 32, 3), rng.integers(0, 256, 3), np.uint8)
        y, x = rng.integers(2, 10, 2)
        picture[y : y + 10, x : x + 10] = rng.integers(0, 256, 3)
        cv2.imwrite(str(images / f'{number:06}.jpg'), picture)
        lines.append(f'{number:06},{CLASSES[number % len(CLASSES)]}')
    (root / 'image_labels.csv').write_text('\n'.join(lines) + '\n')
    names = ''.join(f'  - {name}\n' for name in CLASSES)
    (root / 'classes.yaml').write_text(
        f'classes:\n{names}background:\n  - grass\n  - sky\n'
    )


def _steps(root: Path) -> dict[str, Callable[[], CommandCost]]:
    """List the steps on the pictures of a folder."""
    variables = dict(
        CUSTOM_ROOT=str(root), CUSTOM_WORK=str(root), CUSTOM_MODELS='tiny'
    )
    # Inherit the recipes; superpixels need no weights, seeds no training
    configs = ROOT / 'configs' / 'fmwsss'
    masks, seeds = root / 'masks.py', root / 'seeds.py'
    masks.write_text(
        f'_base_ = {str(configs / "custom_sam_masks.py")!r}\n'
        'model = dict(source=dict(_delete_=True, '
        "type='FelzenszwalbSuperpixels', scale=100, min_size=8))\n"
    )
    seeds.write_text(
        f'_base_ = {str(configs / "custom_seed.py")!r}\nload_from = None\n'
    )

    def tool(*arguments: str) -> Callable[[], CommandCost]:
        return lambda: run_tool(arguments, root, variables, threads=1)

    return {
        'check of the data set': tool(
            'tools/check_dataset.py',
            *('--data-root', str(root), '--layout', 'folder'),
            *('--classes', str(root / 'classes.yaml')),
            *('--image-dir', 'images', '--label-file', 'image_labels.csv'),
        ),
        'superpixels': tool('tools/test.py', str(masks)),
        'seeds': tool('tools/test.py', str(seeds)),
        'superpixels, all there': tool('tools/test.py', str(masks)),
        'seeds, all there': tool('tools/test.py', str(seeds)),
        'start of the data set of stage 2': lambda: _start_stage_2(root),
    }


def _start_stage_2(root: Path) -> CommandCost:
    """Pair pictures and seeds as a training does at its start."""
    start, cpu = time.perf_counter(), time.process_time()
    with DefaultScope.overwrite_default_scope('mmseg'):
        PseudoLabelDataset(
            class_prompts=str(root / 'classes.yaml'),
            data_root=str(root),
            image_dir='images',
            seed_dir=str(root / 'seed' / 'fine_seed'),
            pipeline=[],
        )
    return CommandCost(
        time.perf_counter() - start, time.process_time() - cpu, 0.0
    )


def _most_files(root: Path) -> int:
    folders = [path for path in root.rglob('*') if path.is_dir()]
    return max(sum(1 for _ in folder.iterdir()) for folder in folders)


def summarise(
    counts: tuple[int, ...], costs: list[CommandCost]
) -> dict[str, str]:
    """Describe how a step grows, and extrapolate to COCO's size.

    Args:
        counts (tuple[int, ...]): Three numbers of pictures, ascending.
        costs (list[CommandCost]): Of each.

    Returns:
        dict[str, str]: Figures by name.
    """
    # Give what was measured
    notes = {
        f'{count} pictures': f'{cost.wall:.2f} s wall, {cost.cpu:.2f} s CPU'
        + (f', {cost.peak_mb:.0f} MiB' if cost.peak_mb else '')
        for count, cost in zip(counts, costs, strict=True)
    }
    # Compare the slopes, where start-up does not hide them
    cpu = [cost.cpu for cost in costs]
    slope = (cpu[-1] - cpu[-2]) / (counts[-1] - counts[-2])
    if cpu[-1] - cpu[0] < TELLING:
        notes['growth'] = 'too cheap to tell from the start-up'
    else:
        notes['last slope over first, CPU'] = f'{growth(counts, cpu):.2f}'
    # Extrapolate, which is arithmetic and no measurement
    whole = max(0.0, cpu[-1] + slope * (COCO - counts[-1]))
    notes[f'{COCO} pictures, extrapolated'] = f'{whole:.0f} s CPU'
    return notes
