# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Image-level labels from ground-truth masks, once, into a text file.

Our data sets never open a mask, so this is the only way from one to labels.
The paper's official code has its labels from masks; XML and JSON annotations
are the usual source, and differ in some pictures. Use the file with
`label_file='image_labels.txt'`.
"""

import argparse
from functools import partial
from pathlib import Path

EXAMPLES = r"""examples:
  python tools/dataset_converters/labels_from_masks.py \
      data/VOCdevkit/VOC2012/SegmentationClassAug --classes voc12 \
      --out data/VOCdevkit/VOC2012/image_labels.txt
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('mask_dir', type=Path, help='label maps, *.png')
    parser.add_argument(
        '--classes',
        required=True,
        help='voc12, coco14, or the YAML or JSON of class prompts',
    )
    parser.add_argument('--out', type=Path, required=True, help='text file')
    parser.add_argument(
        '--list', type=Path, help='split file; default: all masks'
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
from mmfmwsss.datasets import get_class_prompts, read_image_list
from mmfmwsss.datasets.image_files import bare_name, names_in
from mmfmwsss.utils import UserInputError, atomic_path
from mmfmwsss.utils.labels import IGNORE_LABEL
from mmfmwsss.utils.palette_png import read_label_png


def labels_of(path: Path, names: tuple[str, ...]) -> list[str]:
    """List the classes of a mask, in the order of the classes.

    Raises:
        UserInputError: If the mask is not readable or has other labels.
    """
    # Leave out background and 255
    found = np.unique(read_label_png(path))
    found = found[(found > 0) & (found < IGNORE_LABEL)]
    # Refuse labels beyond the classes
    if len(found) and found[-1] > len(names):
        raise UserInputError(
            f'Expected labels 0..{len(names)} or 255 in {path}, but got '
            f'{found[-1]}.'
        )
    return [names[label - 1] for label in found.tolist()]


def main(argv: list[str] | None = None) -> int:
    """Write the labels; 1, and no file, if a mask was wrong."""
    args = parse_args(argv)
    logger = MMLogger.get_current_instance()
    # Name the masks, those of the list or all
    classes = get_class_prompts(args.classes).classes
    names = (
        [bare_name(listed) for listed in read_image_list(args.list)]
        if args.list
        else names_in(args.mask_dir, '.png')
    )
    if not names:
        raise UserInputError(
            f'Expected masks *.png in {args.mask_dir}, but found none.'
        )
    # Warn that such labels are better than real ones
    logger.warning(
        f'The labels come from the ground-truth masks in {args.mask_dir}. '
        'Say so with your results: labels that people gave to whole images '
        'miss more.'
    )
    outcomes = run_all(
        partial(labels_of, names=classes),
        [args.mask_dir / f'{name}.png' for name in names],
        args.workers,
        'labels',
    )
    # Write all labels, or none
    if report_failures(names, outcomes, logger):
        return 1
    with atomic_path(args.out) as temporary:
        temporary.write_text(
            ''.join(
                '\t'.join([name, *outcome.result]) + '\n'
                for name, outcome in zip(names, outcomes, strict=True)
            ),
            encoding='utf-8',
        )
    logger.info(f'{args.out}: labels of {len(names)} pictures')
    return 0


if __name__ == '__main__':
    run_reporting_user_errors(main)
