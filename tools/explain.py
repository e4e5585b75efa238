# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Show why SAMS made the seed of an image: a picture and a table.

Writes OUT.png and OUT.md. With a photo alone, CAMs and masks are made first,
from --tags by the models of tools/demo.py or by the config of prompts, and
kept as OUT_cams.npy and OUT_masks.json. CAMs of a whole data set are written
by `tools/test.py ..._seed.py --save-cams DIR`.
"""

import argparse
from pathlib import Path
from typing import Any

from arguments import CAM_FORMATS, add_seeder_options

EXAMPLES = r"""examples:
  python tools/explain.py photo.jpg --tags cat sofa --out work_dirs/explain/me
  python tools/explain.py IMAGE CAM_FILE MASKS.json --format clip_es \
      --classes voc_names.txt --out work_dirs/explain/2007_000032
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('image', help='picture')
    parser.add_argument(
        'cam', type=Path, nargs='?', help='its CAM file; default: made now'
    )
    parser.add_argument(
        'masks', type=Path, nargs='?', help='its mask file (JSON)'
    )
    parser.add_argument(
        '--format', choices=CAM_FORMATS, help='of the CAM file'
    )
    parser.add_argument(
        '--tags',
        nargs='+',
        metavar='TAG',
        help='what a photo alone shows, "tea cup" in quotes; default: what '
        'the model names',
    )
    parser.add_argument(
        '--model',
        default='photo',
        help='what makes the CAMs: photo, tiny, or the config of prompts '
        '(default: %(default)s)',
    )
    parser.add_argument(
        '--checkpoint', help='learnt prompts, for the config of prompts'
    )
    parser.add_argument(
        '--weights',
        type=Path,
        default=Path('weights'),
        help='folder of the weights (default: %(default)s)',
    )
    parser.add_argument('--sam', type=Path, help="MobileSAM's file instead")
    parser.add_argument(
        '--classes',
        type=Path,
        help='text file: names of the foreground classes, one a line',
    )
    add_seeder_options(parser, 'SAMS')
    parser.add_argument('--out', required=True, help='without suffix')
    parser.add_argument(
        '--cell',
        type=int,
        default=320,
        help='side of a panel, pixels (default: %(default)s)',
    )
    args = parser.parse_args(argv)
    # A CAM file comes with masks and a format, a photo alone without
    given = [bool(args.cam), bool(args.masks), bool(args.format)]
    if any(given) and not all(given):
        parser.error('CAM, MASKS and --format go together, or a photo alone')
    if args.cam and args.tags:
        parser.error('--tags are for a photo alone; --classes name CAM files')
    return args


if __name__ == '__main__':
    parse_args()  # --help and slips are answered before torch is imported

import numpy as np
import torch
from mmengine.logging import MMLogger
from PIL import Image

import mmfmwsss  # noqa: F401  before mmseg: registers, and readies mmcv
from mmfmwsss.apis import (
    SeedInferencer,
    read_options,
    run_reporting_user_errors,
)
from mmfmwsss.evaluation.metrics import write_cams
from mmfmwsss.models.seeding import SAMS
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError, atomic_path
from mmfmwsss.utils.palette_png import voc_palette
from mmfmwsss.utils.photos import read_rgb
from mmfmwsss.visualization.explain import (
    explain_masks,
    explanation_picture,
    explanation_table,
)
from mmfmwsss.workshop.cam_files import CamFile, read_cams


def class_names(path: Path | None, classes: torch.Tensor) -> list[str]:
    """Name the present classes, by their numbers without a file."""
    # Name the classes by number
    numbers = classes.tolist()
    if path is None:
        return [f'class {number}' for number in numbers]
    # Read a name from each line, in the order of the classes
    names = path.read_text(encoding='utf-8').splitlines()
    if max(numbers, default=-1) >= len(names):
        raise UserInputError(
            f'Expected a name for class {max(numbers)} in {path}, got '
            f'{len(names)} names. Leave the background out.'
        )
    return [names[number].strip() for number in numbers]


def explain(
    image: np.ndarray,
    cam_file: CamFile,
    masks: SAMMasks,
    seeder: SAMS,
    names: list[str],
    cell: int = 320,
) -> tuple[np.ndarray, str]:
    """Explain one image, given as arrays, by a picture and a table.

    Args:
        image (ndarray): RGB, uint8, (H, W, 3).
        cam_file (CamFile): CAMs of the P present classes, of any size.
        masks (SAMMasks): Of the size of the image.
        seeder (SAMS): With its settings.
        names (list[str]): Of the P classes.
        cell (int): Side of a panel, pixels.

    Returns:
        tuple[ndarray, str]: RGB picture, Markdown.
    """
    # Make the seed, and keep the decisions behind it
    cams, classes = cam_file.resized((image.shape[0], image.shape[1]))
    seed = seeder(cams, classes, masks)
    decisions = seeder.decide(cams, masks)
    # Draw the picture
    columns = ['background', *names]
    picture = explanation_picture(
        image,
        cams,
        masks,
        decisions,
        seed,
        columns,
        (classes + 1).tolist(),
        voc_palette(),
        cell,
    )
    # Tabulate the masks, with a text that tells how to read it
    rows = explain_masks(masks, decisions, columns)
    bare = 1 - float(masks.masks.any(0).float().mean())
    return picture, (
        f'Masks from the top of the paint down: each hides what it covers of '
        f'those below it, and `visible` is what is left of it. The columns '
        f'are its scores; that of the background is (1 - the best class) to '
        f'the power {seeder.alpha:g}, and the highest score decides. Masks '
        f'cover {1 - bare:.1%} of the image; the rest is background.\n\n'
        f'{explanation_table(rows, columns)}'
    )


def build_sams(options: dict[str, Any]) -> SAMS:
    """Build SAMS with the options of the command line."""
    try:
        return SAMS(**options)
    except TypeError as error:
        raise UserInputError(
            f'--seeder-options do not fit SAMS: {error}'
        ) from error


def read_files(
    args: argparse.Namespace,
) -> tuple[CamFile, SAMMasks, list[str]]:
    """Read CAMs, masks and names of files."""
    cam_file = read_cams(args.cam, args.format)
    names = class_names(args.classes, cam_file.classes)
    return cam_file, SAMMasks.load(args.masks), names


def make_files(
    args: argparse.Namespace,
) -> tuple[CamFile, SAMMasks, list[str]]:
    """Make CAMs and masks of a photo alone, and keep them."""
    # Run the models
    inferencer = SeedInferencer(
        args.model,
        args.checkpoint,
        show_progress=False,
        weights_dir=args.weights,
        sam=args.sam,
    )
    made = inferencer(args.image, tags=args.tags)['predictions'].made
    # Keep what they made, for another run of this tool
    classes = [label - 1 for label in made.labels]
    write_cams(f'{args.out}_cams.npy', made.cams.numpy(), classes)
    made.masks.save(f'{args.out}_masks.json')
    cam_file = CamFile(made.cams, torch.tensor(classes))
    return cam_file, made.masks, list(made.tags)


def main(argv: list[str] | None = None) -> int:
    """Write the picture and the table."""
    args = parse_args(argv)
    # Read CAMs and masks, or make them
    cam_file, masks, names = (make_files if args.cam is None else read_files)(
        args
    )
    # Explain the seed that they give
    picture, table = explain(
        read_rgb(args.image),
        cam_file,
        masks,
        build_sams(read_options(args.seeder_options, '--seeder-options')),
        names,
        args.cell,
    )
    # Write both files
    with atomic_path(f'{args.out}.png') as temporary:
        Image.fromarray(picture).save(temporary)
    with atomic_path(f'{args.out}.md') as temporary:
        temporary.write_text(table, encoding='utf-8')
    MMLogger.get_current_instance().info(f'{args.out}.png and {args.out}.md')
    return 0


if __name__ == '__main__':
    run_reporting_user_errors(main)
