# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Score a SAM in everything mode on PartWorld's true masks.

For each true object (part, sub-part) of a picture the best mask's IoU is
taken, and averaged over all of them; once with all masks and once with those
that the filter of section 4.2 leaves. Prints one JSON line. To choose
settings, score other pictures than val's: ``--seed 4`` or ``--assemblies 4``.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

VAL_SEED, VAL_FIRST, VAL_IMAGES = 2012, 1000, 200
TINY_SAM = Path(__file__).parents[2] / 'mmfmwsss/assets/tiny_sam.safetensors'
COUNTS = {  # a setting, its default here, what it is
    'points_per_side': (16, 'grid of point prompts'),
    'crop_n_layers': (0, 'layers of overlapping crops'),
    'min_mask_region_area': (10, 'smaller holes and islands go, pixels'),
}
THRESHOLDS = {  # as in EverythingSettings
    'pred_iou_thresh': (0.86, 'least predicted IoU of a mask'),
    'whole_iou_bonus': (0.1, 'added to it for whole masks'),
    'stability_score_thresh': (0.92, 'least stability of a mask'),
    'stability_score_offset': (1.0, 'shift of the logits for stability'),
    'box_nms_thresh': (0.7, 'greatest IoU of the boxes of two masks'),
}
EXAMPLES = r"""examples:
  python tools/partworld/score_sam.py --images 200
  python tools/partworld/score_sam.py --seed 4 --pred-iou-thresh 0.8
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--checkpoint',
        type=Path,
        default=TINY_SAM,
        help='weights of a SAM; default: the tiny SAM of the package',
    )
    parser.add_argument(
        '--arch',
        help="'vit_b', 'vit_l', 'vit_h' or a JSON dict of sizes; default: "
        'the sizes in the JSON file beside the checkpoint',
    )
    parser.add_argument(
        '--images',
        type=int,
        default=VAL_IMAGES,
        help='number of pictures (default: %(default)s)',
    )
    parser.add_argument(
        '--seed',
        type=int,
        default=VAL_SEED,
        help='of the random world (default: %(default)s)',
    )
    parser.add_argument(
        '--first',
        type=int,
        default=VAL_FIRST,
        help='number of the first picture (default: %(default)s)',
    )
    parser.add_argument(
        '--assemblies',
        type=int,
        metavar='SEED',
        help='score assemblies of this random world instead',
    )
    parser.add_argument(
        '--threads',
        type=int,
        default=1,
        help='of torch (default: %(default)s)',
    )
    parser.add_argument(
        '--device', default='cpu', help='e.g. cuda (default: %(default)s)'
    )
    parser.add_argument(
        '--settings',
        type=json.loads,
        default={},
        help='JSON dict of fields of EverythingSettings',
    )
    for name, (default, text) in (COUNTS | THRESHOLDS).items():
        parser.add_argument(
            f'--{name.replace("_", "-")}',
            type=type(default),
            default=default,
            help=f'{text} (default: %(default)s)',
        )
    return parser.parse_args()


if __name__ == '__main__':
    parse_args()  # --help and slips are answered before torch is imported

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmfmwsss.apis import run_reporting_user_errors
from mmfmwsss.models.masks import (
    EverythingSettings,
    SAMEverything,
    filter_by_occupation,
)
from mmfmwsss.structures import SAMMasks
from mmfmwsss.workshop import partworld

VAL_SEED, VAL_FIRST, VAL_IMAGES = 2012, 1000, 200
LEVELS = dict(whole='objects', part='parts', subpart='subparts')


def best_iou(masks: SAMMasks, numbers: NDArray[np.integer[Any]]) -> Tensor:
    """Compute the IoU of each true region with its best mask, (T,).

    Args:
        masks (SAMMasks): (S, H, W).
        numbers (ndarray): Number of the region of each pixel, 0 none, (H, W).
    """
    # Separate the true regions
    present = np.unique(numbers[numbers > 0])
    truth = torch.from_numpy(present[:, None, None] == numbers).flatten(1)
    if not len(masks):
        return torch.zeros(len(truth))
    # Compute the IoU of all pairs
    found = masks.masks.flatten(1).float()
    overlap = truth.float() @ found.T
    union = truth.sum(1)[:, None] + found.sum(1) - overlap
    return (overlap / union).amax(dim=1)


def score(
    source: SAMEverything, scenes: list[partworld.DrawnScene]
) -> dict[str, Any]:
    """Average the best IoU by level, and masks and seconds per image.

    Args:
        source (SAMEverything): Without its own filter.
        scenes (list[DrawnScene]): Pictures with their truth.
    """
    ious: dict[str, list[Tensor]] = {}
    counts, kept_counts, seconds = [], [], []
    # Time masks and filter
    for scene in scenes:
        started = time.perf_counter()
        masks = source(scene.image)
        kept = filter_by_occupation(masks)
        seconds.append(time.perf_counter() - started)
        # Count the masks, before and after the filter
        counts.append(masks.level_counts())
        kept_counts.append(kept.level_counts())
        # Compare with the truth of each level
        for level, layer in LEVELS.items():
            numbers = getattr(scene, layer)
            for name, some in ((level, masks), (f'{level}_filtered', kept)):
                ious.setdefault(name, []).append(best_iou(some, numbers))
    # Average over regions and images
    found, left = (np.mean(c, axis=0).tolist() for c in (counts, kept_counts))
    return dict(
        **{
            f'{name}_iou': round(float(torch.cat(values).mean()), 4)
            for name, values in ious.items()
        },
        objects=len(torch.cat(ious['whole'])),
        images=len(scenes),
        masks_per_image=round(sum(found), 2),
        masks_filtered=round(sum(left), 2),
        subpart_part_whole=[round(value, 2) for value in left],
        seconds_per_image=round(float(np.median(seconds)), 3),
    )


def build_source(args: argparse.Namespace) -> SAMEverything:
    """Build SAM by the command line, without the filter."""
    # Read the sizes beside the checkpoint, or from the command line
    if args.arch is None:
        record = json.loads(args.checkpoint.with_suffix('.json').read_text())
        arch = record['config']
    else:
        arch = json.loads(args.arch) if '{' in args.arch else args.arch
    # Take the settings that the command line knows
    settings = {
        name: getattr(args, name)
        for name in vars(EverythingSettings())
        if hasattr(args, name)
    }
    return SAMEverything(
        arch,
        args.checkpoint,
        occupation_threshold=None,
        points_per_batch=32,
        **{**settings, **args.settings},
    ).to(args.device)


def main() -> int:
    """Score and print."""
    args = parse_args()
    torch.set_num_threads(args.threads)
    # Draw the scenes of the data set, or assemblies
    indices = range(args.first, args.first + args.images)
    if args.assemblies is None:
        scenes = [partworld.render_scene(args.seed, i) for i in indices]
    else:
        scenes = [
            partworld.render_assemblies(
                args.assemblies, i, partworld.SIZES[i % len(partworld.SIZES)]
            )
            for i in indices
        ]
    source = build_source(args)
    print(json.dumps(dict(**score(source, scenes), **source.settings())))
    return 0


if __name__ == '__main__':
    run_reporting_user_errors(main)
