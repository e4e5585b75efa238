# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Turn the CAMs of any method, and masks, into seeds; score them if asked.

    python tools/seed_from_cams.py CAM_DIR MASK_DIR --format clip_es
        --seeder SAMS --seeder-options alpha=0.7 --out SEED_DIR
        --ground-truth SegmentationClass --list val.txt --num-classes 21

(one line)

Needs no config. A second run continues the first.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmcv import imread
from mmengine.config import DictAction
from mmengine.logging import MMLogger
from mmseg.registry import TASK_UTILS
from tqdm import tqdm

import mmfmwsss  # noqa: F401  before mmseg: registers, and readies mmcv
from mmfmwsss.apis import run_reporting_user_errors
from mmfmwsss.datasets import read_image_list
from mmfmwsss.datasets.cam_files import CAM_FORMATS, cam_suffix, read_cams
from mmfmwsss.datasets.image_files import IMAGE_SUFFIXES
from mmfmwsss.evaluation.metrics.areas import (
    class_areas,
    intersection_over_union,
)
from mmfmwsss.models.seeding import BaseSeeder
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError, atomic_path
from mmfmwsss.utils.palette_png import read_label_png, write_palette_png

SETTINGS_FILE = 'seed_settings.json'
SEEDERS = ('SAMS', 'MaskVoting', 'DenseCRF', 'ArgmaxSeeder')


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('cam_dir', type=Path, help='one CAM file an image')
    parser.add_argument(
        'mask_dir',
        type=Path,
        nargs='?',
        help='<name>.json of SAMMaskGenerator; for SAMS and MaskVoting',
    )
    parser.add_argument('--format', choices=list(CAM_FORMATS), required=True)
    parser.add_argument('--seeder', choices=SEEDERS, default='SAMS')
    parser.add_argument(
        '--seeder-options',
        nargs='+',
        action=DictAction,
        default={},
        metavar='KEY=VALUE',
        help='settings of the seeder, e.g. alpha=0.7',
    )
    parser.add_argument('--out', type=Path, required=True, help='for seeds')
    parser.add_argument('--images', type=Path, help='pictures; for DenseCRF')
    parser.add_argument('--list', type=Path, help='split: one name a line')
    parser.add_argument(
        '--ground-truth', type=Path, help='label maps; for the mIoU only'
    )
    parser.add_argument(
        '--num-classes', type=int, help='labels, background included'
    )
    parser.add_argument('--device', default='cpu', help='e.g. cuda')
    return parser.parse_args(argv)


def build_seeder(args: argparse.Namespace) -> BaseSeeder:
    """The seeder, after a check that it gets what it needs."""
    try:
        seeder: BaseSeeder = TASK_UTILS.build(
            dict(type=args.seeder, **args.seeder_options)
        )
    except TypeError as error:
        raise UserInputError(
            f'--seeder-options do not fit {args.seeder}: {error}'
        ) from error
    if seeder.needs_masks and args.mask_dir is None:
        raise UserInputError(
            f'{args.seeder} needs MASK_DIR after CAM_DIR, got none. Make the '
            'masks with tools/test.py configs/fmwsss/voc_sam_masks.py.'
        )
    if seeder.needs_image and args.images is None:
        raise UserInputError(
            f'{args.seeder} looks at the pictures. Add --images DIR.'
        )
    if (args.ground_truth is None) != (args.num_classes is None):
        raise UserInputError(
            'An mIoU needs both --ground-truth and --num-classes (labels, '
            'background included; 21 for VOC).'
        )
    return seeder


def list_names(args: argparse.Namespace) -> list[str]:
    """Names of the images: those of the list, or of all CAM files."""
    if args.list is not None:
        return read_image_list(args.list)
    suffix = cam_suffix(args.format)
    names = sorted(path.stem for path in args.cam_dir.glob(f'*{suffix}'))
    if not names:
        raise UserInputError(
            f'Expected CAM files *{suffix} in {args.cam_dir}, got none.'
        )
    return names


def check_settings(args: argparse.Namespace) -> None:
    """Refuse to mix seeds of two settings in one folder."""
    settings = dict(
        cam_dir=str(args.cam_dir),
        mask_dir=str(args.mask_dir),
        format=args.format,
        seeder=args.seeder,
        options=args.seeder_options,
    )
    path = args.out / SETTINGS_FILE
    if not path.is_file():
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(settings, indent=2) + '\n')
    elif json.loads(path.read_text()) != settings:
        raise UserInputError(
            f'{args.out} holds seeds of other settings, see {path}. Choose '
            'another --out, or delete the folder.'
        )


def find_image(folder: Path, name: str) -> Path:
    """Picture of an image."""
    for suffix in IMAGE_SUFFIXES:
        path = folder / f'{name}{suffix}'
        if path.is_file():
            return path
    raise UserInputError(f'Expected a picture {folder / name}.*, got none.')


def make_seed(
    name: str, seeder: BaseSeeder, args: argparse.Namespace
) -> np.ndarray:
    """Seed of one image, uint8, (H, W)."""
    cam_file = read_cams(
        args.cam_dir / f'{name}{cam_suffix(args.format)}', args.format
    )
    masks = image = None
    size = (cam_file.cams.shape[1], cam_file.cams.shape[2])
    if seeder.needs_masks:
        masks = SAMMasks.load(args.mask_dir / f'{name}.json')
        size = masks.size
    if args.images is not None:
        path = find_image(args.images, name)
        image = torch.from_numpy(imread(str(path), channel_order='rgb'))
        size = (image.shape[0], image.shape[1])
    cams, classes = cam_file.resized(size)
    device = torch.device(args.device)
    return seeder(cams.to(device), classes, masks, image).cpu().numpy()


def finished(path: Path) -> np.ndarray | None:
    """The seed of an earlier run, if it is complete."""
    try:
        return read_label_png(path)
    except UserInputError:
        return None


def make_or_read(
    name: str, seeder: BaseSeeder, args: argparse.Namespace
) -> np.ndarray:
    """Seed of one image, from disk if it is there; areas for the score."""
    path = args.out / f'{name}.png'
    seed = finished(path)
    if seed is None:
        seed = make_seed(name, seeder, args)
        write_palette_png(path, seed)
    if args.ground_truth is None:
        return np.zeros((3, 1), np.int64)
    truth = read_label_png(args.ground_truth / f'{name}.png')
    return class_areas(seed, truth, args.num_classes)


def run_all(
    names: list[str], process: Callable[[str], np.ndarray]
) -> tuple[Any, dict[str, str]]:
    """Process all images; one that fails does not stop the others.

    Returns:
        tuple: Sum of the areas, and the errors by name.
    """
    total: Any = 0
    failures: dict[str, str] = {}
    for name in tqdm(names, desc='seeds', unit='image'):
        try:
            total = total + process(name)
        except Exception as error:  # listed at the end
            failures[name] = f'{type(error).__name__}: {error}'
    return total, failures


def main(argv: list[str] | None = None) -> int:
    """Make the seeds; 1 if an image failed."""
    args = parse_args(argv)
    seeder, names = build_seeder(args), list_names(args)
    check_settings(args)
    areas, failures = run_all(
        names, lambda name: make_or_read(name, seeder, args)
    )
    logger = MMLogger.get_current_instance()
    done = len(names) - len(failures)
    logger.info(f'{done} of {len(names)} seeds in {args.out}')
    if args.ground_truth is not None and done:
        mean = 100 * np.nanmean(intersection_over_union(areas))
        logger.info(
            f'mIoU {mean:.2f} of {done} images ({args.list or "all CAMs"}), '
            f'{args.num_classes} labels with background; seeds of '
            f'{args.seeder} {args.seeder_options or "defaults"} from '
            f'{args.format} CAMs in {args.cam_dir}, truth {args.ground_truth}'
        )
    for name, text in failures.items():
        logger.error(f'{name} failed: {text}')
    return 1 if failures else 0


if __name__ == '__main__':
    run_reporting_user_errors(main)
