# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Make one HTML file of what runs have left: numbers, curves, images.

RUN is the work_dir of a run of tools/train.py or tools/test.py, or a folder of
them. The file opens without a server and without a network. CAMs, and label
maps that were not written, are made again for the images that are shown, from
the config and the checkpoint of the run: start it where the run was started.
Ground truth, where the run named it, is read to find the worst images.
"""

import argparse
import time
from pathlib import Path

EXAMPLES = r"""examples:
  python tools/make_report.py work_dirs/partworld --out report.html
  python tools/make_report.py work_dirs/partworld/seed --images 24
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'runs', type=Path, nargs='+', metavar='RUN', help='folder of a run'
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('report.html'),
        help='file to write (default: %(default)s)',
    )
    parser.add_argument('--title', help='heading of the page')
    parser.add_argument(
        '--images',
        type=int,
        default=60,
        help='most images in a sheet (default: %(default)s)',
    )
    parser.add_argument(
        '--picture-size',
        type=int,
        default=240,
        help='greatest side of a picture, pixels (default: %(default)s)',
    )
    return parser.parse_args(argv)


if __name__ == '__main__':
    parse_args()  # --help and slips are answered before torch is imported

from mmengine.logging import MMLogger

import mmfmwsss
from mmfmwsss.apis import (
    install_checkpoint_reader,
    run_reporting_user_errors,
)
from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop.report import (
    find_runs,
    render_page,
    run_sections,
    write_page,
)


def main(argv: list[str] | None = None) -> int:
    """Write the report."""
    args = parse_args(argv)
    if args.images < 0 or args.picture_size < 1:
        raise UserInputError(
            f'Expected 0 or more images, got {args.images}, of 1 pixel or '
            f'more, got {args.picture_size}.'
        )
    install_checkpoint_reader()  # for the models' own init_cfg
    runs = find_runs(args.runs)
    html = render_page(
        args.title or f'Report on {", ".join(map(str, args.runs))}',
        run_sections(runs, args.images, args.picture_size),
        facts=[
            time.strftime('made %Y-%m-%d %H:%M'),
            f'mmfmwsss {mmfmwsss.__version__}',
            'runs: ' + ', '.join(run.name for run in runs),
        ],
    )
    size = write_page(args.out, html)
    MMLogger.get_current_instance().info(f'{args.out}: {size / 2**20:.1f} MiB')
    return 0


if __name__ == '__main__':
    run_reporting_user_errors(main)
