# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Turn the CAMs of any method, and masks, into seeds; score them if asked.

Needs no config. A second run makes what is missing, and what was made of other
files.
"""

import argparse
import inspect
import json
from functools import lru_cache, partial
from pathlib import Path

from arguments import CAM_FORMATS, add_seeder_options

CAM_KEYS = ('classes', 'labels')
SEEDERS = ('SAMS', 'MaskVoting', 'DenseCRF', 'ArgmaxSeeder')
EXAMPLES = r"""examples:
  python tools/seed_from_cams.py CAM_DIR MASK_DIR --format clip_es \
      --seeder SAMS --seeder-options alpha=0.7 --out SEED_DIR
  python tools/seed_from_cams.py CAM_DIR MASK_DIR --format irn \
      --out SEED_DIR --list val.txt --num-classes 21 \
      --ground-truth SegmentationClass
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('cam_dir', type=Path, help='one CAM file an image')
    parser.add_argument(
        'mask_dir',
        type=Path,
        nargs='?',
        help='<name>.json of SAMMaskGenerator; for SAMS and MaskVoting',
    )
    parser.add_argument(
        '--format', choices=CAM_FORMATS, required=True, help='of CAM files'
    )
    parser.add_argument(
        '--keys',
        choices=CAM_KEYS,
        help='what the keys of CAM files count: classes from 0 (default), or '
        'labels, 0 the background, as PSA and IRN write after a CRF',
    )
    parser.add_argument(
        '--seeder',
        choices=SEEDERS,
        default='SAMS',
        help='what makes the seeds (default: %(default)s)',
    )
    add_seeder_options(parser, 'the seeder')
    parser.add_argument('--out', type=Path, required=True, help='for seeds')
    parser.add_argument('--images', type=Path, help='pictures; for DenseCRF')
    parser.add_argument('--list', type=Path, help='split: one name a line')
    parser.add_argument(
        '--ground-truth', type=Path, help='label maps; for the mIoU only'
    )
    parser.add_argument(
        '--num-classes', type=int, help='labels, background included'
    )
    parser.add_argument(
        '--device', default='cpu', help='e.g. cuda (default: %(default)s)'
    )
    parser.add_argument(
        '--workers',
        type=int,
        default=1,
        help='processes, on the CPU only (default: %(default)s)',
    )
    return parser.parse_args(argv)


if __name__ == '__main__':
    parse_args()  # --help and slips are answered before torch is imported

import numpy as np
import torch
from mmengine.logging import MMLogger
from mmseg.registry import TASK_UTILS

import mmfmwsss  # noqa: F401  before mmseg: registers, and readies mmcv
from mmfmwsss.apis import read_options, run_reporting_user_errors
from mmfmwsss.apis.parallel import report_failures, run_all
from mmfmwsss.datasets import read_image_list
from mmfmwsss.datasets.image_files import (
    IMAGE_SUFFIXES,
    bare_name,
    names_in,
)
from mmfmwsss.datasets.image_folder import ImageFolder
from mmfmwsss.evaluation.metrics.areas import (
    class_areas,
    intersection_over_union,
)
from mmfmwsss.models.seeding import BaseSeeder
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import (
    UserInputError,
    atomic_path,
    digest_of,
    digest_of_file,
    locked_folder,
)
from mmfmwsss.utils.labels import IGNORE_LABEL
from mmfmwsss.utils.palette_png import (
    read_label_png,
    read_label_png_made_of,
    write_palette_png,
)
from mmfmwsss.utils.photos import read_rgb
from mmfmwsss.workshop.cam_files import (
    cam_suffix,
    read_cams,
    refuse_background_key,
)

SETTINGS_FILE = 'seed_settings.json'


def check_options(args: argparse.Namespace) -> None:
    """Refuse arguments that do not fit together, before the first image."""
    # Check what a score needs
    if (args.ground_truth is None) != (args.num_classes is None):
        raise UserInputError(
            'An mIoU needs both --ground-truth and --num-classes (labels, '
            'background included; 21 for VOC).'
        )
    if args.num_classes is not None and not 2 <= args.num_classes <= 255:
        raise UserInputError(
            'Expected --num-classes in 2..255 (labels, background included; '
            f'21 for VOC), got {args.num_classes}.'
        )
    # Check that numbers are numbers
    known = inspect.signature(TASK_UTILS.get(args.seeder)).parameters
    for key, value in args.seeder_options.items():
        default = known[key].default if key in known else None
        if isinstance(value, str) and isinstance(default, int | float):
            raise UserInputError(
                f'Expected a number in --seeder-options {key}, got {value!r}; '
                f'e.g. {key}={default}.'
            )
    # Check the device by using it
    try:
        torch.zeros(1, device=args.device)
    except (AssertionError, RuntimeError) as error:
        raise UserInputError(
            f'--device {args.device} cannot be used here ({error}). Leave it '
            'out to run on the CPU.'
        ) from error
    if args.workers > 1 and args.device != 'cpu':
        raise UserInputError(
            f'--workers {args.workers} is for the CPU. Leave it out with '
            f'--device {args.device}.'
        )


def build_seeder(args: argparse.Namespace) -> BaseSeeder:
    """Build the seeder, after a check that it gets what it needs."""
    # Check the arguments, then build
    check_options(args)
    try:
        seeder: BaseSeeder = TASK_UTILS.build(
            dict(type=args.seeder, **args.seeder_options)
        )
    except TypeError as error:
        raise UserInputError(
            f'--seeder-options do not fit {args.seeder}: {error}'
        ) from error
    # Check that masks and pictures are there if they are used
    if seeder.needs_masks and args.mask_dir is None:
        raise UserInputError(
            f'{args.seeder} needs MASK_DIR after CAM_DIR, got none. Make the '
            'masks with tools/test.py configs/fmwsss/voc_sam_masks.py.'
        )
    if seeder.needs_image and args.images is None:
        raise UserInputError(
            f'{args.seeder} looks at the pictures. Add --images DIR.'
        )
    return seeder


def list_names(args: argparse.Namespace) -> list[str]:
    """Name the images: those of the list, or of all CAM files."""
    if args.list is not None:
        return [bare_name(listed) for listed in read_image_list(args.list)]
    # Look for files of the format, but not in the folder of seeds
    suffix = cam_suffix(args.format)
    names = names_in(args.cam_dir, suffix, args.out)
    if not names:
        raise UserInputError(
            f'Expected CAM files *{suffix} in {args.cam_dir}, got none.'
        )
    return names


def cam_path(name: str, args: argparse.Namespace) -> Path:
    """Return the CAM file of an image."""
    file: Path = args.cam_dir / f'{name}{cam_suffix(args.format)}'
    return file


def check_settings(args: argparse.Namespace) -> None:
    """Refuse to mix seeds of two settings in one folder."""
    # Describe what decides the seeds
    settings = dict(
        cam_dir=str(args.cam_dir),
        mask_dir=str(args.mask_dir),
        format=args.format,
        keys=args.keys or 'classes',
        seeder=args.seeder,
        options=args.seeder_options,
    )
    # Note it in a new folder
    path = args.out / SETTINGS_FILE
    if not path.is_file():
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(settings, indent=2) + '\n')
        return
    # Compare it with what an earlier run noted
    try:
        found = json.loads(path.read_text())
    except ValueError:
        found = None
    if isinstance(found, dict):
        found.setdefault('keys', 'classes')  # not in earlier records
    if found != settings:
        raise UserInputError(
            f'{args.out} holds seeds of other settings, see {path}. Choose '
            'another --out, or delete the folder.'
        )


@lru_cache
def picture_folder(folder: Path) -> ImageFolder:
    """Return the pictures, looked up once."""
    return ImageFolder(folder, IMAGE_SUFFIXES)


def find_picture(folder: Path, name: str) -> Path | None:
    """Return the path of a picture, if it is there."""
    images = picture_folder(folder)
    below = images.find(name)
    return None if below is None else Path(images.file(below).path)


def read_picture(folder: Path, name: str) -> torch.Tensor:
    """Read a picture, RGB, uint8, (H, W, 3)."""
    path = find_picture(folder, name)
    if path is None:
        raise UserInputError(
            f'Expected a picture {folder / name}.*, got none.'
        )
    return torch.from_numpy(read_rgb(path))


def digest_sources(
    name: str, seeder: BaseSeeder, args: argparse.Namespace
) -> str:
    """Hash all that decides the seed of one image."""
    # Add the defaults, which another version may change
    known = inspect.signature(TASK_UTILS.get(args.seeder)).parameters
    options = {key: value.default for key, value in known.items()}
    # List the files that the seeder reads
    files: list[Path | None] = [cam_path(name, args)]
    if seeder.needs_masks:
        files.append(args.mask_dir / f'{name}.json')
    if args.images is not None:
        files.append(find_picture(args.images, name))
    return digest_of(
        [
            args.format,
            args.keys or 'classes',
            args.seeder,
            repr(sorted((options | args.seeder_options).items())),
            [digest_of_file(file) for file in files],
        ]
    )


def make_seed(
    name: str, seeder: BaseSeeder, args: argparse.Namespace
) -> np.ndarray:
    """Make the seed of one image, uint8, (H, W)."""
    cam_file = read_cams(
        cam_path(name, args), args.format, args.keys or 'classes'
    )
    # Read masks and picture, which also tell the seed's size
    masks = image = None
    size = (cam_file.cams.shape[1], cam_file.cams.shape[2])
    if seeder.needs_masks:
        masks = SAMMasks.load(args.mask_dir / f'{name}.json')
        size = masks.size
    if args.images is not None:
        image = read_picture(args.images, name)
        size = (image.shape[0], image.shape[1])
    # Enlarge the CAMs to that size, and make the seed
    cams, classes = cam_file.resized(size)
    device = torch.device(args.device)
    return seeder(cams.to(device), classes, masks, image).cpu().numpy()


def score(
    name: str, seed: np.ndarray, args: argparse.Namespace
) -> np.ndarray | None:
    """Count areas for the mIoU, if there is a ground truth."""
    if args.ground_truth is None:
        return None
    # Read the truth, of the seed's size
    path = args.ground_truth / f'{name}.png'
    truth = read_label_png(path)
    if truth.shape != seed.shape:
        raise UserInputError(
            f'Expected a label map of the size of the seed, {seed.shape}, at '
            f'{path}, got {truth.shape}. The seed has the size of the masks '
            'or the picture, or of the CAM where there is neither.'
        )
    # Refuse labels beyond those that are counted
    for what, labels in (('the seed', seed), (str(path), truth)):
        largest = int(labels[labels < IGNORE_LABEL].max(initial=0))
        if largest >= args.num_classes:
            raise UserInputError(
                f'Expected labels below --num-classes {args.num_classes} in '
                f'{what}, got {largest}.'
            )
    return class_areas(seed, truth, args.num_classes)


def make_or_read(
    name: str, seeder: BaseSeeder, args: argparse.Namespace
) -> np.ndarray | None:
    """Make a seed, or read it if it is there; areas for the score."""
    # Look for a seed that was made of the same
    path = args.out / f'{name}.png'
    made_of = digest_sources(name, seeder, args)
    seed = read_label_png_made_of(path, made_of)
    # Make it, and write what it was made of
    if seed is None:
        seed = make_seed(name, seeder, args)
        write_palette_png(path, seed, made_of=made_of)
    return score(name, seed, args)


def main(argv: list[str] | None = None) -> int:
    """Make the seeds; 1 if an image failed."""
    args = parse_args(argv)
    # Build the seeder before the first image is read
    args.seeder_options = read_options(args.seeder_options, '--seeder-options')
    seeder, names = build_seeder(args), list_names(args)
    # Make the seeds, alone in the folder
    with locked_folder(args.out):
        if args.keys is None:
            files = (cam_path(name, args) for name in names)
            refuse_background_key(files, args.format)
        check_settings(args)
        process = partial(make_or_read, seeder=seeder, args=args)
        outcomes = run_all(process, names, args.workers, 'seeds')
    # List the failures
    logger = MMLogger.get_current_instance()
    failed = report_failures(names, outcomes, logger)
    done = len(names) - failed
    logger.info(f'{done} of {len(names)} images done, seeds in {args.out}')
    # Score the seeds that were made
    if args.ground_truth is not None and done:
        areas = sum(o.result for o in outcomes if o.failure is None)
        mean = 100 * np.nanmean(intersection_over_union(areas))
        logger.info(
            f'mIoU {mean:.2f} of {done} images ({args.list or "all CAMs"}), '
            f'{args.num_classes} labels with background; seeds of '
            f'{args.seeder} {args.seeder_options or "defaults"} from '
            f'{args.format} CAMs in {args.cam_dir}, truth {args.ground_truth}'
        )
    return int(failed > 0)


if __name__ == '__main__':
    run_reporting_user_errors(main)
