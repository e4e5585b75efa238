# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Time SAMS and the everything mode, each against the slow way.

    python tools/benchmarks/sams.py [--device cuda] [--vit-b CHECKPOINT]

Prints one JSON line. Times are medians in milliseconds of one image of
375 x 500 pixels with 100 masks and 3 classes; speed-ups are ratios to
segment_anything's SamAutomaticMaskGenerator with identical settings (our
three changes off, thresholds at which masks are found), taken in turns in this
process.
"""

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmcv import imread
from mmengine.config import Config
from segment_anything import SamAutomaticMaskGenerator
from torch import Tensor

import mmfmwsss  # noqa: F401  before mmseg: registers, and readies mmcv
from mmfmwsss.models.masks import (
    EverythingSettings,
    build_sam,
    generate_masks,
)
from mmfmwsss.models.seeding import SAMS, DenseCRF
from mmfmwsss.structures import SAMMasks
from mmfmwsss.testing.partworld import render_scene

ROOT = Path(__file__).parents[2]
SIZE, MASKS, CLASSES = (375, 500), 100, 3
HEAVY = dict(
    points_per_side=32,
    pred_iou_thresh=0.86,
    stability_score_thresh=0.92,
    crop_n_layers=1,
    crop_n_points_downscale_factor=2,
    min_mask_region_area=100,
)
# at which the tiny SAM, too, finds some hundred masks
TINY = HEAVY | dict(
    pred_iou_thresh=0.2, stability_score_thresh=0.3, min_mask_region_area=20
)
# random weights predict nonsense, of which some must survive
LOOSE = dict(
    points_per_side=32,
    pred_iou_thresh=-10.0,
    stability_score_thresh=0.0,
    crop_n_layers=0,
    min_mask_region_area=0,
)


def milliseconds(
    functions: Mapping[str, Callable[[], Any]], repeats: int, device: str
) -> dict[str, float]:
    """Median time of each function; they take turns, after a warm-up."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(repeats + 1):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if device != 'cpu':
                torch.cuda.synchronize()
            if turn:
                times[name].append(1000 * (time.perf_counter() - start))
    return {name: statistics.median(each) for name, each in times.items()}


def discs(device: str) -> SAMMasks:
    """Overlapping discs on all levels."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.rand(MASKS, 2, generator=generator) * torch.tensor(SIZE)
    radii = 15 + 65 * torch.rand(MASKS, generator=generator)
    grid = torch.stack(
        torch.meshgrid(*map(torch.arange, SIZE), indexing='ij'), dim=-1
    )
    distance = (grid - centres[:, None, None]).pow(2).sum(-1)
    return SAMMasks(
        distance < radii[:, None, None] ** 2,
        torch.randint(0, 3, (MASKS,), generator=generator),
        torch.ones(MASKS),
        torch.ones(MASKS),
    ).to(device)


def loop_seed(
    cams: Tensor, classes: Tensor, masks: SAMMasks, alpha: float
) -> Tensor:
    """Section 4.2 mask by mask, as one writes it down."""
    positive = cams.clamp(min=0)
    means = torch.stack(
        [
            torch.stack([(cam * mask).sum() / mask.sum() for cam in positive])
            for mask in masks.masks
        ]
    )
    low, high = means.amin(0), means.amax(0)
    scores = (means - low) / (high - low)
    background = (1 - scores.amax(1, keepdim=True)) ** alpha
    best, winner = torch.cat([background, scores], dim=1).max(1)
    labels = torch.cat([classes.new_zeros(1), classes + 1])[winner]
    order = sorted(
        range(len(masks)), key=lambda i: (int(masks.levels[i]), float(best[i]))
    )
    seed = torch.zeros(masks.size, dtype=torch.uint8, device=cams.device)
    for index in order:
        seed[masks.masks[index]] = labels[index].to(torch.uint8)
    return seed


def time_seeders(device: str, repeats: int) -> dict[str, Any]:
    """SAMS, the loop, and the dense CRF on the same CAMs."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, CLASSES, 24, 32, generator=generator) - 0.3
    cams = torch.nn.functional.interpolate(coarse, SIZE, mode='bilinear')[0]
    picture = torch.rand(1, 3, 12, 16, generator=generator) * 255
    picture = torch.nn.functional.interpolate(picture, SIZE, mode='bilinear')
    image = picture[0].permute(1, 2, 0).to(torch.uint8).to(device)
    cams, classes = cams.to(device), torch.arange(CLASSES, device=device)
    masks, sams = discs(device), SAMS()
    crf = DenseCRF(backend='torch')
    times = milliseconds(
        dict(
            sams_ms=lambda: sams(cams, classes, masks),
            loop_ms=lambda: loop_seed(cams, classes, masks, sams.alpha),
        ),
        repeats,
        device,
    )
    times |= milliseconds(
        dict(crf_ms=lambda: crf(cams, classes, image=image)),
        max(1, repeats // 5),
        device,
    )
    slow = loop_seed(cams, classes, masks, sams.alpha)
    same = (sams(cams, classes, masks) == slow).float().mean()
    return {
        **{name: round(value, 2) for name, value in times.items()},
        'crf_over_sams': round(times['crf_ms'] / times['sams_ms'], 1),
        'sams_equals_loop': round(float(same), 6),
    }


def share_equal(ours: SAMMasks, theirs: np.ndarray) -> float:
    """Share of their masks of which we have one with IoU >= 0.99."""
    if len(theirs) == 0:
        return float(len(ours) == 0)
    a = ours.masks.flatten(1).float()
    b = torch.from_numpy(theirs).flatten(1).float()
    shared = b @ a.T
    union = b.sum(1, keepdim=True) + a.sum(1) - shared
    best = (shared / union).amax(1) if len(ours) else torch.zeros(len(b))
    return float((best >= 0.99).float().mean())


def time_everything(
    sam: Any,
    image: np.ndarray,
    settings: dict[str, Any],
    repeats: int,
    device: str,
) -> dict[str, Any]:
    """Our everything mode against segment_anything's."""
    sam = sam.to(device)
    theirs = SamAutomaticMaskGenerator(sam, **settings)
    same = EverythingSettings(
        **settings, whole_iou_bonus=0.0, whole_first_nms=False
    )
    times = milliseconds(
        dict(
            ours=lambda: generate_masks(sam, image, same),
            theirs=lambda: theirs.generate(image),
        ),
        repeats,
        device,
    )
    found = [record['segmentation'] for record in theirs.generate(image)]
    reference = np.stack(found) if found else np.zeros((0, *image.shape[:2]))
    return dict(
        speedup=round(times['theirs'] / times['ours'], 2),
        equal=round(
            share_equal(generate_masks(sam, image, same), reference), 4
        ),
        masks=len(found),
        ours_ms=round(times['ours'], 1),
        theirs_ms=round(times['theirs'], 1),
    )


def peak_megabytes(device: str) -> float:
    """Peak memory: of the accelerator, or of this process."""
    if device != 'cpu':
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def read_image(path: str | None) -> np.ndarray:
    """The picture, or one of PartWorld."""
    if path is None:
        return render_scene(seed=0, index=0).image
    return imread(path, channel_order='rgb')


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--repeats', type=int, default=20)
    parser.add_argument('--everything-repeats', type=int, default=3)
    parser.add_argument('--image', help='default: a picture of PartWorld')
    parser.add_argument(
        '--vit-b', metavar='CHECKPOINT', help="a file, or 'random'; slow"
    )
    return parser.parse_args()


def main() -> None:
    """Run everything and print one line."""
    args = parse_args()
    result = time_seeders(args.device, args.repeats)
    image = read_image(args.image)
    config = Config.fromfile(ROOT / 'configs/fmwsss/partworld_sam_masks.py')
    source = config.model.source
    tiny = build_sam(source.arch, source.checkpoint)
    repeats = args.everything_repeats
    found = time_everything(tiny, image, TINY, repeats, args.device)
    result['everything_speedup'] = found['speedup']
    result['everything_speedup_vit_b'] = None
    result['masks_equal'] = found['equal']
    result['everything_tiny'] = found
    if args.vit_b is not None:
        torch.manual_seed(0)
        weights = None if args.vit_b == 'random' else args.vit_b
        settings = LOOSE if weights is None else HEAVY
        large = build_sam('vit_b', weights)
        found = time_everything(large, image, settings, repeats, args.device)
        result['everything_speedup_vit_b'] = found['speedup']
        result['everything_vit_b'] = found
    result['peak_mb'] = round(peak_megabytes(args.device), 1)
    result['device'] = args.device
    result['threads'] = torch.get_num_threads()
    print(json.dumps(result))


if __name__ == '__main__':
    main()
