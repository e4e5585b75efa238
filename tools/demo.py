# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Segment photos from tags, with models that fit a laptop; nothing is trained.

For each photo OUT gets NAME_overlay.jpg, NAME_seed.png (palette; 0 is
background, 1 the first tag), NAME_cam_TAG.jpg of each tag, and NAME_why.png
(maps, masks, decisions). It needs two files of weights, once:

    python tools/get_weights.py mobile_sam efficientnet_lite2

The photo CLIP knows ImageNet's animals and things and some broader words; it
knows no people.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmfmwsss.apis import SeedInferencer, SeedResult

EXAMPLES = """examples:
  python tools/demo.py photo.jpg --tags cat sofa
  python tools/demo.py photo.jpg
  python tools/demo.py --free
  python tools/demo.py data/partworld/JPEGImages/train_0000.jpg --tags bird \\
      --model configs/fmwsss/partworld_seed.py
"""

# Photos that come with scikit-image, and a tag for each.
FREE = {
    'chelsea.png': ['cat'],
    'coffee.png': ['cup'],
    'motorcycle_left.png': ['motorcycle'],
}


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('photos', nargs='*', help='photos, or folders of them')
    parser.add_argument(
        '--tags',
        nargs='+',
        metavar='TAG',
        help='what the photos show, "tea cup" in quotes. Default: the names '
        'that stand out among those that the photo CLIP knows',
    )
    parser.add_argument(
        '--free',
        action='store_true',
        help="take scikit-image's photos of a cat, a cup and a motorcycle",
    )
    parser.add_argument(
        '--model',
        default='photo',
        metavar='MODEL',
        help="photo (default), tiny (PartWorld's models, which need no "
        'files), or a *_seed.py config, whose classes are the tags',
    )
    parser.add_argument(
        '--checkpoint',
        type=Path,
        help='learnt prompts of the config (default: its load_from)',
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('work_dirs/demo'),
        help='folder for the results (default: work_dirs/demo)',
    )
    parser.add_argument(
        '--weights',
        type=Path,
        default=Path('weights'),
        help='folder of the weights (default: weights)',
    )
    parser.add_argument('--sam', type=Path, help="MobileSAM's file instead")
    parser.add_argument(
        '--stem', type=Path, help="EfficientNet-Lite2's file instead"
    )
    parser.add_argument(
        '--points',
        type=int,
        default=16,
        metavar='N',
        help='SAM is asked at N x N points (default: 16); more find smaller '
        'things, and take longer',
    )
    return parser.parse_args(argv)


def list_photos(args: argparse.Namespace) -> list[tuple[Path, list[str]]]:
    """Pair photos with tags; no tags where the model names them."""
    from mmfmwsss.apis.inferencer_inputs import check_names
    from mmfmwsss.apis.inferencer_inputs import list_photos as list_all
    from mmfmwsss.utils import UserInputError

    # Add the free photos
    photos: list[tuple[Path, list[str]]] = []
    if args.free:
        import skimage.data

        folder = Path(skimage.data.__file__).parent
        photos = [
            (folder / name, args.tags or tags) for name, tags in FREE.items()
        ]
    if not photos and not args.photos:
        raise UserInputError(
            'Expected a photo, got none. For example: `python tools/demo.py '
            'photo.jpg --tags cat`, or `python tools/demo.py --free`.'
        )
    # Add the photos that are given, and those in folders
    if args.photos:
        found = [Path(str(photo)) for photo in list_all(args.photos)]
        photos.extend((path, args.tags or []) for path in found)
    check_names(path.stem for path, _ in photos)
    return photos


def describe(inferencer: 'SeedInferencer', result: 'SeedResult') -> str:
    """Say in lines what was found in a photo, and how long it took."""
    # Name the best scores, and the share of each tag in the photo
    best = [f'{n} {s:.2f}' for n, s in list(result.scores.items())[:5]]
    share = [f'{tag} {part:.0%}' for tag, part in result.shares.items()]
    # List the seconds of each step
    steps = [f'{step} {used:.1f}' for step, used in result.seconds.items()]
    lines = [
        f'{result.name}: {", ".join(share)} of the photo',
        f'  scores: {", ".join(best)}',
        f'  seconds: {sum(result.seconds.values()):.1f} ({", ".join(steps)})',
    ]
    # Warn of names that the CLIP never saw
    lines += [
        f'  note: this CLIP was not taught {tag!r}, and may guess'
        for tag in inferencer.seeder.unknown(result.tags)
    ]
    return '\n'.join(lines)


def main(argv: list[str] | None = None) -> int:
    """Segment the photos; 1 if one could not be."""
    args = parse_args(argv)
    from tqdm import tqdm

    from mmfmwsss.apis import SeedFailure, SeedInferencer

    # Find the photos, and load the models once
    paths, tags = zip(*list_photos(args), strict=True)
    inferencer = SeedInferencer(
        args.model,
        args.checkpoint,
        show_progress=False,
        weights_dir=args.weights,
        sam=args.sam,
        stem=args.stem,
        points_per_side=args.points,
    )
    made = failed = 0
    # Segment each photo, or say why it cannot be, and go on
    found = inferencer.iterate(
        paths, tags=[known or None for known in tags], out_dir=args.out
    )
    for result in tqdm(found, total=len(paths), unit='photo'):
        if isinstance(result, SeedFailure):
            tqdm.write(f'{result.name}: {result.message}')
            failed += 1
        else:
            tqdm.write(describe(inferencer, result))
            made += 1
    # Name the folder of what there is
    if made:
        print(f'Overlays, seeds, CAMs and explanations are in {args.out}')
    return int(failed > 0)


def run() -> None:
    """Run the command; what the user can mend is one line."""
    parse_args()  # --help and slips are answered before torch is imported
    from mmfmwsss.apis import run_reporting_user_errors

    run_reporting_user_errors(main)


if __name__ == '__main__':
    run()
