# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Add SBD's masks to VOC 2012: SegmentationClassAug and train_aug.txt.

Reads SBD's `cls/*.mat` and VOC's `SegmentationClass/*.png`; VOC's own mask is
kept where there are both. `train_aug.txt` has VOC's train and all of SBD but
VOC's val: 10,582 pictures. The masks are for evaluation and for the fully
supervised upper bound; weak supervision needs `train_aug.txt` only, which
--lists-only writes. A second run makes what is missing. Needs scipy.
"""

import argparse
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

EXAMPLES = r"""examples:
  python tools/dataset_converters/voc_aug.py data/VOCdevkit/VOC2012 \
      data/benchmark_RELEASE/dataset
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('voc', type=Path, help='the VOC2012 folder')
    parser.add_argument(
        'sbd', type=Path, help="SBD's `dataset` folder, which has `cls`"
    )
    parser.add_argument(
        '--lists-only', action='store_true', help='write no masks'
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

from mmfmwsss.apis import run_reporting_user_errors
from mmfmwsss.apis.parallel import report_failures, run_all
from mmfmwsss.datasets import read_image_list
from mmfmwsss.datasets.image_files import FileFinder
from mmfmwsss.utils import UserInputError, atomic_path
from mmfmwsss.utils.limits import check_file_bytes
from mmfmwsss.utils.palette_png import read_label_png, write_palette_png

LISTS = Path('ImageSets', 'Segmentation')
EXPECTED_MASKS = 12031  # train_aug and val
EXPECTED_TRAIN_AUG = 10582
NUM_LABELS = 21
MAX_MAT_BYTES = 2**26


class MaskConversion(NamedTuple):
    """A mask to make."""

    source: Path
    target: Path


def read_mat(path: Path) -> np.ndarray:
    """Read the class map of an SBD annotation, uint8, (H, W).

    Raises:
        UserInputError: If scipy or the struct is missing, or a label is of no
            VOC class.
    """
    # Import scipy only here: nothing else needs it
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise UserInputError(
            "SBD's .mat files need scipy: pip install scipy"
        ) from error
    try:
        check_room(path)
        content = loadmat(path, squeeze_me=True, struct_as_record=False)
        labels = np.asarray(content['GTcls'].Segmentation)
    except Exception as error:  # scipy raises many kinds
        raise UserInputError(
            f'Expected a struct GTcls with a Segmentation in {path}, but '
            f'could not read it ({type(error).__name__}: {error}). Extract '
            'the file from the archive again.'
        ) from error
    # Refuse what is no map of VOC's labels
    if labels.ndim != 2 or labels.max(initial=0) >= NUM_LABELS:
        raise UserInputError(
            f'Expected labels 0..{NUM_LABELS - 1} of (H, W) in {path}, but '
            f'got up to {labels.max(initial=0)} of {labels.shape}.'
        )
    return labels.astype(np.uint8)


def check_room(path: Path) -> None:
    """Refuse a file that unpacks to more than an annotation can be.

    After a head of 128 bytes, each element has its type and its length;
    those of type 15 are packed by zlib.

    Raises:
        UserInputError: If it does.
    """
    # Check the packed size
    check_file_bytes(path, MAX_MAT_BYTES)
    data = path.read_bytes()
    # Visit the elements behind the header
    place = 128
    while place + 8 <= len(data):
        kind, length = struct.unpack_from('<II', data, place)
        packed = data[place + 8 : place + 8 + length]
        # Unpack compressed elements up to the limit
        if kind == 15:
            unpacked = zlib.decompressobj().decompress(packed, MAX_MAT_BYTES)
            if len(unpacked) >= MAX_MAT_BYTES:
                raise UserInputError(
                    f'it unpacks to more than {MAX_MAT_BYTES:,} bytes'
                )
        place += 8 + length


def is_label_png(path: Path) -> bool:
    """Tell if an earlier run finished this mask."""
    try:
        read_label_png(path)
    except UserInputError:
        return False
    return True


def make_mask(job: MaskConversion) -> bool:
    """Write a mask; False if it was there already."""
    if is_label_png(job.target):
        return False
    read = read_mat if job.source.suffix == '.mat' else read_label_png
    write_palette_png(job.target, read(job.source))
    return True


def list_names(args: argparse.Namespace) -> dict[str, list[str]]:
    """List the names of VOC's splits, of SBD, and of train_aug.

    Raises:
        UserInputError: If a list is missing, or SBD's masks.
    """
    # Read the lists of VOC, and the names of SBD's files
    train = read_image_list(args.voc / LISTS / 'train.txt')
    val = read_image_list(args.voc / LISTS / 'val.txt')
    sbd = sorted(path.stem for path in (args.sbd / 'cls').glob('*.mat'))
    if not sbd:
        raise UserInputError(
            f'Expected .mat files in {args.sbd / "cls"}, but found none. Give '
            'the `dataset` folder of benchmark_RELEASE.'
        )
    # Add SBD to train, but keep val for validation
    train_aug = sorted(({*train, *sbd}) - {*val})
    return {'train': train, 'val': val, 'sbd': sbd, 'train_aug': train_aug}


def list_jobs(
    args: argparse.Namespace, names: dict[str, list[str]]
) -> list[MaskConversion]:
    """List one job for each picture of train_aug and val.

    Raises:
        UserInputError: If masks of VOC are missing.
    """
    # Look for all of VOC's own masks first
    own, out = (
        args.voc / 'SegmentationClass',
        args.voc / 'SegmentationClassAug',
    )
    voc = {name: own / f'{name}.png' for name in names['train'] + names['val']}
    finder = FileFinder()
    missing = [str(path) for path in voc.values() if not finder(path)]
    if missing:
        raise UserInputError(
            f"Expected VOC's {len(voc)} masks in {own}, but {len(missing)} "
            f'are missing, e.g. {missing[0]}. Extract the archive again.'
        )
    # Prefer VOC's masks to SBD's
    sources = {n: args.sbd / 'cls' / f'{n}.mat' for n in names['sbd']} | voc
    return [
        MaskConversion(sources[name], out / f'{name}.png')
        for name in names['train_aug'] + names['val']
    ]


def write_list(path: Path, names: list[str]) -> None:
    """Write a split file."""
    with atomic_path(path) as temporary:
        temporary.write_text(''.join(f'{name}\n' for name in names))


def compare(what: str, found: int, expected: int, logger: MMLogger) -> None:
    """Say whether a count is that of the literature."""
    if found == expected:
        logger.info(f'{what}: {found}, as in the literature')
    else:
        logger.warning(
            f'{what}: {found}, but {expected} in the literature. Scores on '
            'this data do not compare with published ones; see what is '
            'missing in the archives.'
        )


def main(argv: list[str] | None = None) -> int:
    """Convert; 1 if a mask could not be made."""
    args = parse_args(argv)
    # List the pictures
    logger = MMLogger.get_current_instance()
    names = list_names(args)
    # Make the masks
    if not args.lists_only:
        jobs = list_jobs(args, names)
        outcomes = run_all(make_mask, jobs, args.workers, 'masks')
        failed = report_failures(
            [str(job.source) for job in jobs], outcomes, logger
        )
        made = sum(bool(outcome.result) for outcome in outcomes)
        logger.info(
            f'{made} masks made, {len(jobs) - made - failed} were there'
        )
        if failed:
            logger.error('No list is written before all masks are there.')
            return 1
        compare('masks', len(jobs), EXPECTED_MASKS, logger)
    # Write the list
    path = args.voc / LISTS / 'train_aug.txt'
    write_list(path, names['train_aug'])
    compare(str(path), len(names['train_aug']), EXPECTED_TRAIN_AUG, logger)
    return 0


if __name__ == '__main__':
    run_reporting_user_errors(main)
