# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Bring masks of segment_anything's own tools into our mask files.

Reads, for each image NAME,

    json    SOURCE/NAME.json: what scripts/amg.py --convert-to-rle writes,
            or a file of SA-1B
    folder  SOURCE/NAME/: metadata.csv and a PNG a mask, what scripts/amg.py
            writes without it

and writes MASK_DIR/NAME.json, which LoadSAMMasks and tools/seed_from_cams.py
read. A second run makes what is missing, and what was made of other files.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

FORMATS = ('json', 'folder')
LEVELS = (0, 1, 2)
T_R = 0.3  # of the paper's filter
EXAMPLES = r"""examples:
  python tools/import_masks.py SOURCE --format json --out MASK_DIR \
      --images JPEGImages --nesting
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('source', type=Path, help='masks made elsewhere')
    parser.add_argument(
        '--format', choices=FORMATS, required=True, help='of the masks'
    )
    parser.add_argument('--out', type=Path, required=True, help='mask files')
    parser.add_argument('--list', type=Path, help='split: one name a line')
    parser.add_argument(
        '--images',
        type=Path,
        help='pictures, to check the sizes; needed where an image has no mask',
    )
    parser.add_argument(
        '--level',
        type=int,
        choices=LEVELS,
        default=LEVELS[-1],
        help='level of masks without one: 0 sub-part, 1 part, 2 whole '
        '(default: %(default)s)',
    )
    parser.add_argument(
        '--nesting',
        action='store_true',
        help='guess the levels: a mask in a whole one is a part, and so on; '
        'then filter',
    )
    filters = parser.add_mutually_exclusive_group()
    filters.add_argument(
        '--occupation-threshold',
        type=float,
        metavar='T_R',
        help="of the paper's whole-first filter, for masks with levels "
        f'(default: {T_R} with --nesting, else no filter)',
    )
    filters.add_argument(
        '--no-filter',
        action='store_true',
        help='keep all masks after --nesting, too; SAMS is worse for them',
    )
    args = parser.parse_args(argv)
    unset = args.occupation_threshold is None and not args.no_filter
    if args.nesting and unset:
        args.occupation_threshold = T_R
    return args


if __name__ == '__main__':
    parse_args()  # --help and slips are answered before torch is imported

from mmengine.logging import MMLogger
from tqdm import tqdm

import mmfmwsss  # noqa: F401  before mmseg: registers, and readies mmcv
from mmfmwsss.apis import run_reporting_user_errors
from mmfmwsss.datasets import read_image_list
from mmfmwsss.datasets.image_files import (
    IMAGE_SUFFIXES,
    bare_name,
    names_in,
)
from mmfmwsss.datasets.image_folder import ImageFolder
from mmfmwsss.evaluation.metrics import SAMMaskReport
from mmfmwsss.evaluation.metrics.failures import describe_failure
from mmfmwsss.models.masks import (
    MissingLevelsError,
    filter_by_occupation,
    levels_by_nesting,
    masks_from_folder,
    masks_from_json,
)
from mmfmwsss.models.masks.mask_files import (
    finished_level_counts,
    mask_report,
    settings_hash,
)
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import (
    UserInputError,
    digest_of,
    digest_of_file,
    locked_folder,
)
from mmfmwsss.utils.photos import photo_size

READERS: dict[str, Callable[..., SAMMasks]] = {
    'json': masks_from_json,
    'folder': masks_from_folder,
}


def list_names(args: argparse.Namespace) -> list[str]:
    """Names of the images: those of the list, or of all in the source."""
    if args.list is not None:
        return [bare_name(listed) for listed in read_image_list(args.list)]
    if args.format == 'json':
        names, what = names_in(args.source, '.json', args.out), '*.json'
    else:
        names = names_in(args.source, '/metadata.csv', args.out)
        what = '*/metadata.csv'
    if not names:
        raise UserInputError(
            f'Expected masks {what} in {args.source}, got none. Give the '
            "output folder of segment_anything's scripts/amg.py, or another "
            '--format.'
        )
    return names


def image_size(images: ImageFolder, name: str) -> tuple[int, int]:
    """Height and width of a picture, upright."""
    below = images.find(name)
    if below is None:
        raise UserInputError(
            f'Expected a picture {images.folder}/{name}.*, got none'
        )
    return photo_size(images.file(below).path)


def digest_source(file: Path, size: tuple[int, int] | None) -> str:
    """Hash all that the masks of an image are made of."""
    files = sorted(file.iterdir()) if file.is_dir() else [file]
    content = [(path.name, digest_of_file(path)) for path in files]
    return digest_of([content, size])


def read_masks(
    file: Path, args: argparse.Namespace, size: tuple[int, int] | None
) -> SAMMasks:
    """Read the masks of one image and filter them, as the options say."""
    filtered = args.occupation_threshold is not None
    needs_levels = filtered and not args.nesting
    level = None if needs_levels else args.level
    masks = READERS[args.format](file, level, size)
    if args.nesting:
        masks.levels = levels_by_nesting(masks)
    if filtered:
        masks = filter_by_occupation(masks, args.occupation_threshold)
    return masks


def import_one(
    name: str,
    args: argparse.Namespace,
    settings: str,
    images: ImageFolder | None,
) -> dict[str, Any]:
    """Read, filter and write the masks of one image; report on it.

    Raises:
        UserInputError: If the filter is asked for and the masks have no
            levels, which holds for the other images, too.
    """
    target = args.out / f'{name}.json'
    file = args.source / (f'{name}.json' if args.format == 'json' else name)
    try:
        size = image_size(images, name) if images else None
        made_of = digest_source(file, size)
        counts = finished_level_counts(target, settings, made_of)
        if counts is not None:
            return mask_report(name, 'skipped', counts)
        masks = read_masks(file, args, size)
        masks.save(target, settings, made_of)
    except MissingLevelsError as error:
        raise UserInputError(
            f'--occupation-threshold needs masks of several levels, but those '
            f'of {file} have none ({error}) Give --nesting, which guesses '
            'them, or leave the filter out.'
        ) from error
    except Exception as error:  # one bad file must not end the run
        return mask_report(name, 'failed', reason=describe_failure(error))
    return mask_report(name, 'done', masks.level_counts())


def main(argv: list[str] | None = None) -> int:
    """Import all; 1 if an image failed."""
    args = parse_args(argv)
    if args.source.resolve() == args.out.resolve():
        raise UserInputError(
            f'--out is SOURCE itself, {args.out}. Choose another folder.'
        )
    names = list_names(args)
    settings = settings_hash(
        dict(
            imported=args.format,
            level=args.level,
            nesting=args.nesting,
            occupation_threshold=args.occupation_threshold,
        )
    )
    images = ImageFolder(args.images, IMAGE_SUFFIXES) if args.images else None
    with locked_folder(args.out):
        reports = [
            import_one(name, args, settings, images)
            for name in tqdm(names, desc='masks', unit='image')
        ]
    metrics = SAMMaskReport().compute_metrics(reports)
    MMLogger.get_current_instance().info(f'Mask files in {args.out}')
    return int(metrics['failed'] > 0)


if __name__ == '__main__':
    run_reporting_user_errors(main)
