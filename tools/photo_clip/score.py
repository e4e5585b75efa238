# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Score the photo CLIP on labelled photos; nothing is trained or chosen here.

Prints one JSON line: on how many photos the highest of the classes is one of
the tags, and, with masks, the mIoU of seeds from the tagged classes'
Softmax-GradCAMs (``cam``) and after CAA (``caa``), argmax, by alpha.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

EXAMPLES = r"""examples:
  python tools/photo_clip/score.py PHOTOS --labels image_labels.json \
      --classes classes.yaml --masks MASKS --values 8 10 12 13 17
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('photos', type=Path, help='folder')
    parser.add_argument('--labels', type=Path, required=True, help='tags')
    parser.add_argument('--classes', required=True, help='names, a YAML file')
    parser.add_argument('--masks', type=Path, help='folder of PNGs')
    parser.add_argument(
        '--values', type=int, nargs='+', help='of the classes in the masks'
    )
    parser.add_argument('--list', type=Path, help='names, one a line')
    parser.add_argument('--every', type=int, default=1, help='only every n-th')
    parser.add_argument('--side', type=int, default=384, help='long, pixels')
    parser.add_argument(
        '--alphas',
        type=float,
        nargs='+',
        default=[0.5, 1, 2, 4, 8],
        help='of the seeds (default: 0.5 1 2 4 8)',
    )
    parser.add_argument(
        '--checkpoint',
        default='mmfmwsss://photo_clip.safetensors',
        help='of the photo CLIP (default: %(default)s)',
    )
    parser.add_argument('--stem-checkpoint', help='of EfficientNet-Lite2')
    parser.add_argument('--threads', type=int, default=1, help='of torch')
    return parser.parse_args()


if __name__ == '__main__':
    parse_args()  # --help and slips are answered before torch is imported

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from mmfmwsss.apis import run_reporting_user_errors
from mmfmwsss.datasets.image_labels import read_image_labels
from mmfmwsss.evaluation.metrics.areas import (
    class_areas,
    intersection_over_union,
)
from mmfmwsss.models.cams import CAA, softmax_gradcam
from mmfmwsss.models.clip import PHOTO_CLIP, FrozenCLIP, ManualPrompts
from mmfmwsss.models.seeding.argmax import best_label, cam_scores
from mmfmwsss.structures.class_prompts import ClassPrompts
from mmfmwsss.structures.class_tables import get_class_prompts
from mmfmwsss.workshop.photo_clip import read_photo

TEMPLATES = ('a photo of a {}.', 'a {}', 'a picture of a {}')
PATCH = 16  # pixels


def to_labels(values: NDArray[np.uint8], known: Sequence[int]) -> NDArray[Any]:
    """Map a mask's values to place in ``known`` + 1, 0 else, 255 stays.

    Args:
        values (ndarray): As in the file, (H, W).
        known (Sequence[int]): Value of each class.
    """
    table = np.zeros(256, np.uint8)
    table[255] = 255
    table[list(known)] = np.arange(1, len(known) + 1)
    return table[values]


def fitting_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Choose a size of this long side, both sides multiples of a patch."""
    scale = side / max(width, height) / PATCH
    return (
        PATCH * max(1, round(width * scale)),
        PATCH * max(1, round(height * scale)),
    )


class Scorer:
    """Maps and ranks of photos by prompts written by hand.

    Args:
        clip (FrozenCLIP): The photo CLIP.
        prompts (ClassPrompts): C classes and backgrounds.
        side (int): Long side of the photos, pixels.
    """

    def __init__(
        self, clip: FrozenCLIP, prompts: ClassPrompts, side: int
    ) -> None:
        self.clip, self.side = clip, side
        self.classes = len(prompts.classes)
        self.text = ManualPrompts(clip, prompts, TEMPLATES)(clip)
        self.caa = CAA()

    def __call__(
        self, photo: Path, present: Tensor
    ) -> tuple[int, dict[str, Tensor]]:
        """Find the highest class, and map the present ones by name.

        Args:
            photo (Path): A file.
            present (Tensor): Tagged classes, int64, (P,).

        Returns:
            tuple[int, dict[str, Tensor]]: Maps (P, h, w).
        """
        # Resize the photo to whole patches, in its own proportions
        with Image.open(photo) as opened:
            size = fitting_size(opened.width, opened.height, self.side)
        # Score the photo by all class names
        features = self.clip.encode_trunk(read_photo(photo, size)[None])
        last_block = self.clip.run_last_block(features)
        ranks = last_block.embedding @ self.text[: self.classes].T
        # Map the present classes, plain and refined by CAA
        labels = torch.zeros(1, self.classes, dtype=torch.bool)
        labels[0, present] = True
        cams, pairs = softmax_gradcam(
            features, last_block, self.text, self.clip.scale, labels
        )
        refined = self.caa(cams, features.attention, pairs[:, 0])
        return int(ranks.argmax()), dict(cam=cams, caa=refined)


def seeds_of(
    maps: Tensor,
    present: Tensor,
    shape: Sequence[int],
    alphas: Sequence[float],
) -> Iterator[NDArray[Any]]:
    """Make seeds of one photo by each alpha, (H, W)."""
    # Enlarge the maps to the photo
    enlarged = F.interpolate(
        maps[None], size=tuple(shape), mode='bilinear', align_corners=False
    )[0]
    # Decide each pixel by its highest score
    labels = torch.cat([present.new_zeros(1), present + 1]).to(torch.uint8)
    for alpha in alphas:
        yield best_label(cam_scores(enlarged, alpha), labels).numpy()


@torch.no_grad()
def main() -> int:
    """Score and print."""
    args = parse_args()
    torch.set_num_threads(args.threads)
    # Read tags and names
    prompts = get_class_prompts(args.classes)
    tags = read_image_labels(args.labels, prompts.classes)
    tags = {Path(name).stem: found for name, found in tags.items()}
    names = args.list.read_text().split() if args.list else sorted(tags)
    names = [name for name in names if tags.get(name)][:: args.every]
    clip = FrozenCLIP(
        PHOTO_CLIP, args.checkpoint, stem_checkpoint=args.stem_checkpoint
    )
    scorer = Scorer(clip, prompts, args.side)
    values = args.values or list(range(1, len(prompts.classes) + 1))
    areas: dict[str, dict[float, NDArray[Any]]] = dict(cam={}, caa={})
    right, started = 0, time.time()
    # Score each photo: its highest class against its tags
    for name in tqdm(names, unit='photo'):
        present = torch.tensor(
            sorted(prompts.classes.index(tag) for tag in tags[name])
        )
        best, maps = scorer(args.photos / f'{name}.jpg', present)
        right += best in present
        if args.masks is None:
            continue
        # Compare seeds with the mask, for each alpha
        with Image.open(args.masks / f'{name}.png') as mask:
            truth = to_labels(np.array(mask), values)
        for kind, total in areas.items():
            seeds = seeds_of(maps[kind], present, truth.shape, args.alphas)
            for alpha, seed in zip(args.alphas, seeds, strict=True):
                found = class_areas(seed, truth, len(values) + 1)
                total[alpha] = total.get(alpha, 0) + found
    # Sum up, and print one line
    result = dict(
        photos=len(names),
        top_class_is_a_tag=round(right / len(names), 4),
        seconds=round(time.time() - started),
    )
    miou = {
        kind: {
            str(alpha): round(
                100 * float(np.nanmean(intersection_over_union(area))), 1
            )
            for alpha, area in total.items()
        }
        for kind, total in areas.items()
    }
    print(json.dumps(result | (dict(miou=miou) if args.masks else {})))
    return 0


if __name__ == '__main__':
    run_reporting_user_errors(main)
