# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Tag photos and see their seeds on a page in the browser; nothing is trained.

Photos of FOLDER, and those dropped on the page, are copied to OUT with their
tags, masks and seeds, in the layout of docs/your_own_photos.md. The page is
for this computer only, and sends nothing anywhere. It needs gradio and two
files of weights, once:

    pip install "gradio>=6"
    python tools/get_weights.py mobile_sam efficientnet_lite2
"""

import argparse
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmfmwsss.apis.seed_one_photo import PhotoSeeder

EXAMPLES = """examples:
  python tools/app.py
  python tools/app.py photos --out data/custom
  python tools/app.py --models tiny
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'folder',
        nargs='?',
        type=Path,
        metavar='FOLDER',
        help='photos to begin with; they are copied',
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('work_dirs/app'),
        help='folder for photos, tags, masks and seeds; one that is there is '
        'taken up (default: work_dirs/app)',
    )
    parser.add_argument(
        '--models',
        choices=('photo', 'tiny'),
        default='photo',
        help='tiny: those of PartWorld, which need no weights and know '
        'drawings only (default: photo)',
    )
    parser.add_argument(
        '--weights',
        type=Path,
        default=Path('weights'),
        help='folder of the weights (default: weights)',
    )
    parser.add_argument(
        '--sam',
        type=Path,
        default=os.environ.get('MOBILE_SAM') or None,
        help="MobileSAM's file instead (default: $MOBILE_SAM)",
    )
    parser.add_argument(
        '--points',
        type=int,
        default=16,
        metavar='N',
        help='SAM is asked at N x N points (default: 16)',
    )
    parser.add_argument(
        '--longest',
        type=int,
        default=1024,
        metavar='PIXELS',
        help='larger photos are made smaller (default: 1024)',
    )
    parser.add_argument(
        '--port', type=int, help='of the page (default: a free one)'
    )
    parser.add_argument(
        '--no-browser',
        action='store_true',
        help='print the address only; do not open it',
    )
    return parser.parse_args(argv)


def build_seeder(args: argparse.Namespace) -> 'PhotoSeeder':
    """Build the models that were asked for."""
    from mmfmwsss.apis.photo_models import (
        build_photo_seeder,
        build_tiny_seeder,
    )

    if args.models == 'tiny':
        return build_tiny_seeder(args.points)
    return build_photo_seeder(
        args.weights, args.sam, points_per_side=args.points
    )


def list_photos(folder: Path) -> list[Path]:
    """List the photos that lie in a folder."""
    from mmfmwsss.datasets.image_files import IMAGE_SUFFIXES
    from mmfmwsss.utils import UserInputError

    if not folder.is_dir():
        raise UserInputError(
            f'Expected a folder of photos, but {folder} is none. Leave it '
            'out, and drop the photos on the page.'
        )
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES
    )


def main(argv: list[str] | None = None) -> int:
    """Serve the page until it is stopped."""
    args = parse_args(argv)
    from mmfmwsss.workshop.app import (
        PageActions,
        TaggingSession,
        TrainingFolder,
        build_page,
        launch_page,
    )

    photos = list_photos(args.folder) if args.folder else []
    # Files of the page lie in a folder that goes with it
    with tempfile.TemporaryDirectory(prefix='mmfmwsss_app_') as temporary:
        os.environ['GRADIO_TEMP_DIR'] = temporary
        # Load the models, and take up the folder
        seeder = build_seeder(args)
        folder = TrainingFolder(args.out, seeder.settings.background)
        session = TaggingSession(seeder, folder, args.longest)
        # Add the photos that are not there yet
        known = {Path(name).stem for name in folder.photos}
        new = [path for path in photos if path.stem not in known]
        for note in session.add(new)[1]:
            print(note)
        # Serve the page
        page = build_page(PageActions(session, temporary, args.models))
        print(f'Photos, tags, masks and seeds are kept in {args.out}')
        address = launch_page(page, args.port, not args.no_browser)
        print(f'The page is at {address} until you press Ctrl+C', flush=True)
        page.block_thread()
    return 0


def run() -> None:
    """Run the command; what the user can mend is one line."""
    parse_args()  # --help and slips are answered before torch is imported
    from mmfmwsss.apis import run_reporting_user_errors

    run_reporting_user_errors(main)


if __name__ == '__main__':
    run()
