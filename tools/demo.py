# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Segment photos from tags, with models that fit a laptop; nothing is trained.

For each photo OUT gets NAME_overlay.jpg, NAME_seed.png (palette; 0 is
background, 1 the first tag) and NAME_why.png (maps, masks, decisions).
It needs two files of weights, once:

    python tools/get_weights.py mobile_sam efficientnet_lite2

The photo CLIP knows ImageNet's animals and things and some broader words; it
knows no people.
"""

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmfmwsss.apis.seed_one_photo import PhotoSeed, PhotoSeeder

EXAMPLES = """examples:
  python tools/demo.py photo.jpg --tags cat sofa
  python tools/demo.py photo.jpg
  python tools/demo.py --free
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
    """Pair photos with tags; no tags where the photo CLIP names them."""
    from mmfmwsss.datasets.image_files import IMAGE_SUFFIXES
    from mmfmwsss.utils import UserInputError

    # Add the free photos
    photos: list[tuple[Path, list[str]]] = []
    if args.free:
        import skimage.data

        folder = Path(skimage.data.__file__).parent
        photos = [
            (folder / name, args.tags or tags) for name, tags in FREE.items()
        ]
    # Add the photos that are given, and those in folders
    for given in map(Path, args.photos):
        found = [given]
        if given.is_dir():
            found = sorted(
                path
                for path in given.iterdir()
                if path.suffix.lower() in IMAGE_SUFFIXES
            )
        photos.extend((path, args.tags or []) for path in found)
    # Refuse photos whose results would have one name
    stems = Counter(path.stem for path, _ in photos)
    if twice := [stem for stem, count in stems.items() if count > 1]:
        raise UserInputError(
            'Expected photos of different names, for results are named after '
            f'them, but several are called {twice[0]!r}. Rename one, or run '
            'the command once for each, with another --out.'
        )
    if not photos:
        raise UserInputError(
            'Expected a photo, got none. For example: `python tools/demo.py '
            'photo.jpg --tags cat`, or `python tools/demo.py --free`.'
        )
    return photos


def write_results(path: Path, result: 'PhotoSeed', out: Path) -> None:
    """Write overlay, seed and explanation of a photo."""
    from PIL import Image

    from mmfmwsss.utils import atomic_path
    from mmfmwsss.utils.palette_png import voc_palette, write_palette_png
    from mmfmwsss.utils.photos import read_rgb
    from mmfmwsss.visualization.explain import explanation_picture
    from mmfmwsss.visualization.painting import paint_labels
    from mmfmwsss.visualization.sheet import with_legend

    # Lay the seed over the photo
    image, palette = read_rgb(path), voc_palette()
    seed = result.seed.numpy()
    labels = list(range(1, len(result.tags) + 1))
    overlay = with_legend(
        paint_labels(image, seed, palette, opacity=0.5, borders=True),
        result.tags,
        [palette[label] for label in labels],
    )
    # Explain the seed by CAMs and masks
    why = explanation_picture(
        image,
        result.cams,
        result.masks,
        result.decisions,
        result.seed,
        ['background', *result.tags],
        labels,
        palette,
    )
    # Write the files
    write_palette_png(out / f'{path.stem}_seed.png', seed, palette)
    for picture, name in ((overlay, 'overlay.jpg'), (why, 'why.png')):
        with atomic_path(out / f'{path.stem}_{name}') as temporary:
            Image.fromarray(picture).save(temporary)


def describe(seeder: 'PhotoSeeder', path: Path, result: 'PhotoSeed') -> str:
    """Say in lines what was found in a photo, and how long it took."""
    # Name the best scores
    best = [f'{n} {s:.2f}' for n, s in list(result.scores.items())[:5]]
    # Measure the share of each tag in the photo
    share = [
        f'{tag} {(result.seed == place).float().mean():.0%}'
        for place, tag in enumerate(result.tags, 1)
    ]
    # List the seconds of each step
    steps = [f'{step} {used:.1f}' for step, used in result.seconds.items()]
    lines = [
        f'{path.name}: {", ".join(share)} of the photo',
        f'  scores: {", ".join(best)}',
        f'  seconds: {sum(result.seconds.values()):.1f} ({", ".join(steps)})',
    ]
    # Warn of names that the photo CLIP never saw
    lines += [
        f'  note: the photo CLIP was not taught {tag!r}, and may guess'
        for tag in seeder.unknown(result.tags)
    ]
    return '\n'.join(lines)


def main(argv: list[str] | None = None) -> int:
    """Segment the photos; 1 if one could not be."""
    args = parse_args(argv)
    from tqdm import tqdm

    from mmfmwsss.apis.photo_models import build_photo_seeder
    from mmfmwsss.utils import UserInputError
    from mmfmwsss.utils.photos import read_rgb

    # Find the photos, and load the models once
    photos = list_photos(args)
    seeder = build_photo_seeder(
        args.weights, args.sam, args.stem, points_per_side=args.points
    )
    failed = False
    # Segment each photo, or say why it cannot be, and go on
    for path, tags in tqdm(photos, unit='photo'):
        try:
            result = seeder(read_rgb(path), tags or None)
        except UserInputError as error:
            tqdm.write(f'{path.name}: {error}')
            failed = True
            continue
        write_results(path, result, args.out)
        tqdm.write(describe(seeder, path, result))
    print(f'Overlays, seeds and explanations are in {args.out}')
    return int(failed)


def run() -> None:
    """Run the command; what the user can mend is one line."""
    parse_args()  # --help and slips are answered before torch is imported
    from mmfmwsss.apis import run_reporting_user_errors

    run_reporting_user_errors(main)


if __name__ == '__main__':
    run()
