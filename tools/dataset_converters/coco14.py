# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""COCO 2014's instances to lists of pictures and masks of 81 labels.

Reads `annotations/instances_{train,val}2014.json`. Writes the pictures that
have an instance to `ImageSets/{train,val}.txt` (82,081 and 40,137), and their
masks to `SegmentationClass/{train,val}2014/`: 0 background, then the 80
classes in COCO's order. The masks are for evaluation and for the fully
supervised upper bound; weak supervision needs the lists only, which
--lists-only writes. A second run makes what is missing.

Instances overlap, and there is no official order; code in use lets the later
one, the higher class number or nobody (255) win. Here the smaller instance is
on top, for a cup on a table is annotated inside the table. Crowds are their
class, below all single instances, as the masks of the WSSS literature ignore
nothing.
"""

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

EXPECTED = {'train': 82081, 'val': 40137}
OVERLAPS = ('smaller', 'later', 'ignore')
CROWDS = ('class', 'ignore')
EXAMPLES = r"""examples:
  python tools/dataset_converters/coco14.py data/coco14 --workers 8
  python tools/dataset_converters/coco14.py data/coco14 --lists-only
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('root', type=Path, help='folder with `annotations`')
    parser.add_argument(
        '--splits',
        nargs='+',
        choices=list(EXPECTED),
        default=list(EXPECTED),
        help='what to convert (default: both)',
    )
    parser.add_argument(
        '--lists-only', action='store_true', help='write no masks'
    )
    parser.add_argument(
        '--overlap',
        choices=OVERLAPS,
        default='smaller',
        help='who wins where instances overlap: the smaller, the later in '
        'the file, or nobody (255, unless they are of one class); default: '
        '%(default)s',
    )
    parser.add_argument(
        '--crowd',
        choices=CROWDS,
        default='class',
        help='crowds are their class, or 255 (default: %(default)s)',
    )
    parser.add_argument(
        '--workers',
        type=int,
        default=1,
        help='processes (default: %(default)s)',
    )
    return parser.parse_args(argv)


if __name__ == '__main__':
    parse_args()  # --help and slips are answered before torch is imported

import numpy as np
from mmengine.logging import MMLogger
from pycocotools import mask as coco_mask

from mmfmwsss.apis import run_reporting_user_errors
from mmfmwsss.apis.parallel import report_failures, run_all
from mmfmwsss.datasets import get_class_prompts
from mmfmwsss.structures.rle import decode_rles, decode_runs
from mmfmwsss.utils import UserInputError, atomic_path
from mmfmwsss.utils.labels import IGNORE_LABEL
from mmfmwsss.utils.limits import checked_size
from mmfmwsss.utils.palette_png import read_label_png, write_palette_png
from mmfmwsss.utils.text_files import read_json

SETTINGS_FILE = 'settings.json'


class ImageInstances(NamedTuple):
    """A mask to make.

    Attributes:
        name (str): Stem of the picture.
        size (tuple[int, int]): Height and width.
        instances (list): Label, whether it is a crowd, and COCO's outline of
            each instance.
    """

    name: str
    size: tuple[int, int]
    instances: list[tuple[int, bool, Any]]


def read_jobs(path: Path) -> list[ImageInstances]:
    """Read the pictures with an instance, in the order of the file.

    Raises:
        UserInputError: If the file is missing, damaged or not of COCO 2014.
    """
    if not path.is_file():
        raise UserInputError(
            f'Expected COCO instances at {path}, but there is no file. '
            'Extract annotations_trainval2014.zip there.'
        )
    labels = get_class_prompts('coco14').labels
    try:
        content = read_json(path)
        label_of = {
            c['id']: labels.index(c['name']) for c in content['categories']
        }
        jobs = {
            i['id']: ImageInstances(
                Path(i['file_name']).stem,
                checked_size(i['height'], i['width'], path),
                [],
            )
            for i in content['images']
        }
        for thing in content['annotations']:
            jobs[thing['image_id']].instances.append(
                (
                    label_of[thing['category_id']],
                    bool(thing.get('iscrowd', 0)),
                    thing['segmentation'],
                )
            )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserInputError(
            f"Expected COCO 2014's instances in {path}, but could not read "
            f'them ({type(error).__name__}: {error!s:.200}). Extract the '
            'file from the archive again.'
        ) from error
    return [job for job in jobs.values() if job.instances]


def decode(outline: Any, size: tuple[int, int]) -> np.ndarray:
    """Decode polygons or run lengths, packed or not, bool, (H, W).

    Raises:
        ValueError: If they do not fit the picture.
    """
    # Fill polygons
    height, width = size
    if isinstance(outline, list):
        check_polygons(outline, size)
        rle = coco_mask.merge(coco_mask.frPyObjects(outline, height, width))
        mask: np.ndarray = coco_mask.decode(rle).astype(bool)
        return mask
    # Decode run lengths of the picture's size
    if tuple(outline['size']) != tuple(size):
        raise ValueError(f'an outline is of {outline["size"]}, not {size}')
    if isinstance(outline['counts'], list):
        return decode_runs(outline['counts'], size)
    decoded: np.ndarray = decode_rles([outline['counts']], size)[0]
    return decoded


def check_polygons(polygons: list[Any], size: tuple[int, int]) -> None:
    """Refuse what pycocotools would take for memory, or for a box.

    Raises:
        ValueError: If a polygon has no three points, or points that are far
            from the picture.
    """
    far = 2 * max(size)
    for polygon in polygons:
        points = np.asarray(polygon)
        if points.ndim != 1 or len(points) < 6 or len(points) % 2:
            raise ValueError('a polygon has no pairs of three points or more')
        if points.dtype.kind not in 'iuf':
            raise ValueError('a polygon has points that are no numbers')
        if not (np.abs(points) <= far).all():  # NaN is not
            raise ValueError('a polygon has points far from the picture')
    if not polygons:
        raise ValueError('an outline has no polygon')


def paint(job: ImageInstances, overlap: str, crowd: str) -> np.ndarray:
    """Paint the label map of a picture, uint8, (H, W).

    Args:
        job (ImageInstances): Its instances.
        overlap (str): One of ``OVERLAPS``.
        crowd (str): One of ``CROWDS``.
    """
    # Decode the instances, and put the winners on top
    things = [
        (label, is_crowd, decode(outline, job.size))
        for label, is_crowd, outline in job.instances
    ]
    if overlap == 'smaller':
        things.sort(key=lambda thing: -int(thing[2].sum()))
    things.sort(key=lambda thing: not thing[1])  # crowds first, below
    labels = np.zeros(job.size, np.uint8)
    taken = np.zeros(job.size, np.uint8)  # by a single instance
    # Paint crowds, then single instances
    for label, is_crowd, mask in things:
        if is_crowd:
            labels[mask] = IGNORE_LABEL if crowd == 'ignore' else label
            continue
        disputed = mask & (taken != 0) & (taken != label)
        labels[mask] = taken[mask] = label
        if overlap == 'ignore':
            labels[disputed] = taken[disputed] = IGNORE_LABEL
    return labels


def make_mask(
    job: ImageInstances, folder: Path, overlap: str, crowd: str
) -> bool:
    """Write a mask; False if an earlier run did."""
    path = folder / f'{job.name}.png'
    try:
        if read_label_png(path).shape == job.size:
            return False
    except UserInputError:
        pass  # missing or damaged
    write_palette_png(path, paint(job, overlap, crowd))
    return True


def check_settings(folder: Path, args: argparse.Namespace) -> None:
    """Refuse to mix masks of two settings in one folder.

    Raises:
        UserInputError: If the folder holds masks of others.
    """
    settings = {'overlap': args.overlap, 'crowd': args.crowd}
    # Note the settings, or compare with those that are noted
    path = folder / SETTINGS_FILE
    if not path.is_file():
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(settings) + '\n')
    elif json.loads(path.read_text()) != settings:
        raise UserInputError(
            f'{folder} holds masks of other settings, see {path}. Delete the '
            'folder, or repeat the settings.'
        )


def convert(split: str, args: argparse.Namespace, logger: MMLogger) -> int:
    """Write list and masks of a split; return the number of failures."""
    logger.info(f'reading the instances of {split}')
    jobs = read_jobs(args.root / f'annotations/instances_{split}2014.json')
    names = [job.name for job in jobs]
    failed = 0
    # Make the masks that are missing
    if not args.lists_only:
        folder = args.root / 'SegmentationClass' / f'{split}2014'
        check_settings(folder, args)
        make = partial(
            make_mask, folder=folder, overlap=args.overlap, crowd=args.crowd
        )
        outcomes = run_all(make, jobs, args.workers, f'masks of {split}')
        failed = report_failures(names, outcomes, logger)
        made = sum(bool(outcome.result) for outcome in outcomes)
        there = len(jobs) - made - failed
        logger.info(f'{split}: {made} masks made, {there} were there')
    # Write the list, and count it
    path = args.root / 'ImageSets' / f'{split}.txt'
    with atomic_path(path) as temporary:
        temporary.write_text(''.join(f'{name}\n' for name in names))
    if len(names) == EXPECTED[split]:
        logger.info(f'{path}: {len(names)} pictures, as in the literature')
    else:
        logger.warning(
            f'{path}: {len(names)} pictures, but {EXPECTED[split]} in the '
            'literature. Scores on this data do not compare with published '
            'ones.'
        )
    return failed


def main(argv: list[str] | None = None) -> int:
    """Convert; 1 if a mask could not be made."""
    args = parse_args(argv)
    logger = MMLogger.get_current_instance()
    failures = [convert(split, args, logger) for split in args.splits]
    return int(any(failures))


if __name__ == '__main__':
    run_reporting_user_errors(main)
