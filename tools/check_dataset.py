# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Check a data set before a run: images, labels, masks, lists.

Reads every file once, as a run does, and prints how many images each class
has, all files that would stop a run (--most of each kind), and one table: what
is wrong, how often, an example, the remedy. Exit code 1 where a run would
stop, list failures or mean nothing, 0 where there is nothing or only notes.
Masks are opened to be checked, not to be learnt from.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

EXAMPLES = r"""examples:
  python tools/check_dataset.py configs/fmwsss/voc_prompt.py
  python tools/check_dataset.py --data-root data/coco14 --layout coco14
  python tools/check_dataset.py --data-root photos --layout folder \
      --classes classes.yaml --label-file labels.csv
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config', nargs='?', help='config of a run')
    parser.add_argument('--data-root', type=Path, help='instead of a config')
    parser.add_argument(
        '--layout',
        choices=['voc12', 'coco14', 'folder'],
        help='how the files of --data-root are laid out',
    )
    parser.add_argument('--classes', help='folder: class prompts, YAML')
    parser.add_argument('--image-dir', default='', help='folder: images')
    parser.add_argument('--image-list', help='folder: split file')
    parser.add_argument('--label-file', help='folder: text, CSV or JSON')
    parser.add_argument('--ground-truth', help='folder: masks')
    parser.add_argument(
        '--most',
        type=int,
        default=50,
        metavar='N',
        help='bad files to list of each kind (default: %(default)s)',
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

import mmfmwsss  # noqa: F401  before mmseg: registers, and readies mmcv
from mmfmwsss.apis import run_reporting_user_errors
from mmfmwsss.apis.parallel import run_all
from mmfmwsss.datasets import get_class_prompts
from mmfmwsss.datasets.image_files import IMAGE_SUFFIXES
from mmfmwsss.utils import UserInputError, read_config
from mmfmwsss.workshop.dataset_checks import (
    Finding,
    ImageCheck,
    ImageFiles,
    Source,
    check_image,
    check_lists,
    check_mask_values,
    class_counts,
    collect_images,
    findings_table,
    list_findings,
    merge_images,
    sources_of_config,
    sources_of_layout,
    stops_a_run,
)


def find_sources(args: argparse.Namespace) -> list[Source]:
    """Find the data sets to check.

    Raises:
        UserInputError: If neither a config nor a layout is given, or both.
    """
    # Refuse two ways to name the data, or none
    if (args.config is None) == (args.data_root is None):
        raise UserInputError(
            'Expected a config, or --data-root and --layout, got neither or '
            'both.'
        )
    if args.config is not None:
        return sources_of_config(read_config(args.config))
    # Look for a layout that is known
    if args.layout is None:
        raise UserInputError('--data-root needs --layout, got none.')
    if args.layout != 'folder':
        return sources_of_layout(args.data_root, args.layout)
    # Describe a folder of images by the arguments
    if args.classes is None:
        raise UserInputError('--layout folder needs --classes, got none.')
    root = args.data_root

    def below(path: str | None) -> str | None:
        return str(root / path) if path else None

    return [
        Source(
            name=Path(args.image_list or 'images').stem,
            classes=get_class_prompts(args.classes).classes,
            image_dir=str(root / args.image_dir),
            image_suffixes=IMAGE_SUFFIXES,
            image_list=below(args.image_list),
            label_file=below(args.label_file),
            label_dir=below(args.ground_truth),
            needs_labels=args.label_file is not None,
        )
    ]


def count_sources(named: list[tuple[Source, list[ImageFiles]]]) -> str:
    """Count images, labels and masks of each list, as far as it has them."""
    lines = []
    for source, pictures in named:
        masks = sum(p.seg_map is not None for p in pictures)
        labels = sum(p.xml is not None or bool(p.labels) for p in pictures)
        # Say nothing of what was not to be there
        line = f'{source.name}: {_count_images(len(pictures))}'
        if source.label_file or source.xml_dir:
            line += f', {labels} with labels'
        if source.label_dir:
            line += f', {masks} with masks'
        lines.append(line)
    return '\n'.join(lines)


def describe(checks: list[ImageCheck]) -> str:
    """Describe the sizes of the images and the values of the masks."""
    # Collect sizes and values
    sizes = [check.size for check in checks if check.size is not None]
    values = Counter(v for check in checks for v in check.mask_labels)
    lines = []
    # Say how large the images are
    if sizes:
        sides = [side for size in sizes for side in size]
        lines.append(
            f'{_count_images(len(sizes))} can be read; sides {min(sides)} to '
            f'{max(sides)} pixels'
        )
    # Say how many masks have each value
    if values:
        counts = ', '.join(f'{v} ({values[v]})' for v in sorted(values))
        lines.append(f'label values (masks that have them): {counts}')
    return '\n'.join(lines)


def _count_images(number: int) -> str:
    return f'{number:,} image{"s" * (number != 1)}'


def print_text(text: str) -> None:
    """Print, also names of files that are not valid in the terminal's code."""
    code = sys.stdout.encoding or 'utf-8'
    print(text.encode(code, 'backslashreplace').decode(code))


def verdict_on(findings: list[Finding]) -> str:
    """Say whether a run would go through."""
    if stops_a_run(findings):
        return 'a run would stop: mend what `stops` it'
    if findings:
        return 'a run would go through: there are only notes'
    return 'nothing is wrong'


def main(argv: list[str] | None = None) -> int:
    """Check; 1 if a run would stop or list failures."""
    args = parse_args(argv)
    # Read the lists, and what is wrong with them
    named, findings = [], []
    for source in find_sources(args):
        pictures, found = collect_images(source)
        named.append((source, pictures))
        findings += found
        if args.config is None and source.label_dir is None:
            findings.append(Finding('no ground truth', source.name))
    # Compare the lists with each other
    findings += check_lists(named)
    pictures = merge_images(p for _, mine in named for p in mine)
    # Check the files themselves, each once
    outcomes = run_all(check_image, pictures, args.workers, 'check')
    checks = [o.result for o in outcomes if o.failure is None]
    findings += [
        Finding('image damaged', f'{picture.image}: {outcome.failure}')
        for picture, outcome in zip(pictures, outcomes, strict=True)
        if outcome.failure is not None
    ]
    # Collect all that is wrong
    findings += [f for check in checks for f in check.findings]
    findings += check_mask_values(checks)
    findings = list(dict.fromkeys(findings))  # lists share pictures
    # Print counts first, then the table, and the verdict last
    report = [
        count_sources(named),
        describe(checks),
        class_counts(checks),
        list_findings(findings, args.most),
        findings_table(findings) if findings else '',
        verdict_on(findings),
    ]
    print_text('\n'.join(part for part in report if part))
    return int(stops_a_run(findings))


if __name__ == '__main__':
    run_reporting_user_errors(main)
