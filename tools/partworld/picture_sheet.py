# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Draw what every stage made of some PartWorld pictures, side by side.

Reads the results of tools/run_pipeline.py. Writes pictures.png.
"""

import argparse
from pathlib import Path

EXAMPLES = r"""examples:
  python tools/partworld/picture_sheet.py
  python tools/partworld/picture_sheet.py --images 4 --out four.png
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--work',
        type=Path,
        default=Path('work_dirs/partworld'),
        help='results of tools/run_pipeline.py (default: %(default)s)',
    )
    parser.add_argument('--out', type=Path, help='default: WORK/pictures.png')
    parser.add_argument(
        '--images', type=int, default=8, help='rows (default: %(default)s)'
    )
    return parser.parse_args()


if __name__ == '__main__':
    parse_args()  # --help and slips are answered before torch is imported

import cv2
import numpy as np
from mmengine.dataset import Compose

import mmfmwsss  # noqa: F401  before mmseg: registers, and readies mmcv
from mmfmwsss.apis import run_reporting_user_errors
from mmfmwsss.utils import UserInputError, atomic_path
from mmfmwsss.utils.palette_png import read_label_png
from mmfmwsss.utils.photos import read_rgb
from mmfmwsss.visualization import paint_labels, paint_masks, picture_sheet
from mmfmwsss.visualization.seed_pictures import cam_panels
from mmfmwsss.workshop.report.run_folder import find_runs
from mmfmwsss.workshop.report.run_model import RunModel
from mmfmwsss.workshop.report.tested_run import (
    TestedRun,
    open_tested_run,
)

TITLES = (
    'image', 'CAM of 1st class', 'whole masks', 'part masks', 'sub-part masks',
    'coarse seed', 'fine seed', 'prediction', 'ground truth',
)  # fmt: skip
ROUTES = ('coarse_seed', 'fine_seed')  # of the run's, in the titles' order


def open_runs(work: Path) -> tuple[TestedRun, RunModel, Compose]:
    """Open the run of the seeds, and the network without truth.

    Raises:
        UserInputError: If one of them is not there.
    """
    # Open the seeds, which need their prompts for CAMs and masks
    (seeds,) = map(open_tested_run, find_runs([work / 'seed']))
    if seeds is None or seeds.model is None:
        raise UserInputError(
            f'Expected the seeds of PartWorld in {work / "seed"}, with their '
            'checkpoint. Make them with: python tools/run_pipeline.py'
        )
    # Open the network, and load pictures as its test does
    (run,) = find_runs([work / 'deeplabv3plus_test'])
    transforms = run.config.test_dataloader.dataset.pipeline
    pipeline = Compose([t for t in transforms if t.type != 'LoadAnnotations'])
    return seeds, RunModel(run), pipeline


def draw_row(
    seeds: TestedRun, network: RunModel, pipeline: Compose, index: int
) -> tuple[list[np.ndarray], str]:
    """Draw the pictures of one image, with the text below them."""
    # Predict by the seeds' run, then by the network
    path = Path(seeds.images.paths[index])
    sample = seeds.predict(index)
    if sample is None:
        raise UserInputError(f'Expected a readable picture at {path}.')
    image = read_rgb(path)
    predicted = network.predict(pipeline(dict(img_path=str(path))))
    # Collect the label maps: seeds, prediction, truth
    shown = {result.field: result for result in seeds.shown}
    maps = [
        *(seeds.label_map(shown[route], index, sample) for route in ROUTES),
        predicted.pred_sem_seg.data[0].cpu().numpy(),
        read_label_png(
            path.parents[1] / 'SegmentationClass' / f'{path.stem}.png'
        ),
    ]
    # Paint the first class's CAM, the masks by level, the label maps
    cams = cam_panels(image, sample, seeds.main.field, seeds.images.classes)
    pictures = [
        image,
        cams[0][1],
        *(paint_masks(image, sample.sam_masks, level) for level in (2, 1, 0)),
        *(paint_labels(image, m, seeds.images.palette) for m in maps),
    ]
    return pictures, f'{path.stem}: {", ".join(name for name, _ in cams)}'


def main() -> int:
    """Draw the sheet."""
    args = parse_args()
    seeds, network, pipeline = open_runs(args.work)
    # Choose pictures spread evenly
    last = len(seeds.images.paths) - 1
    chosen = np.linspace(0, last, args.images).astype(int).tolist()
    rows = [draw_row(seeds, network, pipeline, index) for index in chosen]
    # Arrange and write them
    pictures, names = zip(*rows, strict=True)
    sheet = picture_sheet(pictures, TITLES, names)
    with atomic_path(args.out or args.work / 'pictures.png') as path:
        cv2.imwrite(str(path), sheet[..., ::-1])
    return 0


if __name__ == '__main__':
    run_reporting_user_errors(main)
