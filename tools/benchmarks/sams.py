# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Time SAMS and the everything mode, each against the slow way.

Prints one JSON line, after about 3 minutes on one core of a CPU; give it a
core of its own (OMP_NUM_THREADS=1). Times are medians in milliseconds; those
that are compared were taken in turns in this process.

    sams_ms, loop_ms, crf_ms  one image of 375 x 500 pixels with 100 masks and
        3 classes: SAMS, the same written as a loop over masks, dense CRF
    everything_speedup        segment_anything's SamAutomaticMaskGenerator over
        ours with identical settings, our three changes off; tiny SAM, with
        crops, on a picture of PartWorld
    everything_speedup_vit_b  the same with a full-size ViT-B on a picture of
        375 x 500, without crops. By default its weights are random, and
        all masks pass the filter by predicted IoU, which is the least
        favourable case for us. --vit-b none leaves it out (null)
    masks_equal               share of segment_anything's masks of which we
        have one with IoU >= 0.99, the smaller of the two comparisons
    peak_mb                   memory of this process at the height of our
        everything mode, weights included; theirs is in the details
"""

import argparse
import contextlib
import json
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

EXAMPLES = r"""examples:
  OMP_NUM_THREADS=1 python tools/benchmarks/sams.py
  python tools/benchmarks/sams.py --device cuda --vit-b CHECKPOINT
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--device', default='cpu', help='e.g. cuda (default: %(default)s)'
    )
    parser.add_argument(
        '--repeats',
        type=int,
        default=20,
        help='of the seeders (default: %(default)s)',
    )
    parser.add_argument(
        '--everything-repeats',
        type=int,
        default=3,
        help='of the everything mode (default: %(default)s)',
    )
    parser.add_argument('--image', help='default: a picture of PartWorld')
    parser.add_argument(
        '--vit-b',
        metavar='CHECKPOINT',
        default='random',
        help="a file, 'random' (default) or 'none'",
    )
    parser.add_argument(
        '--vit-b-repeats',
        type=int,
        default=1,
        help='of the everything mode with ViT-B (default: %(default)s)',
    )
    parser.add_argument(
        '--vit-b-points',
        type=int,
        default=20,
        help='points per side; 32 in the recipe, with which it takes longer '
        '(default: %(default)s)',
    )
    return parser.parse_args(argv)


if __name__ == '__main__':
    parse_args()  # --help and slips are answered before torch is imported

import cv2
import numpy as np
import torch
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
from mmfmwsss.utils.photos import read_rgb
from mmfmwsss.workshop.partworld import render_scene
from mmfmwsss.workshop.random_sam import liven

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
    pred_iou_thresh=-10.0,
    stability_score_thresh=0.0,
    crop_n_layers=0,
    min_mask_region_area=0,
)


def milliseconds(
    functions: Mapping[str, Callable[[], Any]],
    repeats: int,
    device: str,
    warm_up: bool = True,
) -> dict[str, float]:
    """Measure median times by turns, after a warm-up."""
    # Take turns, so that a busy moment hits all alike
    times: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(repeats + warm_up):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if device != 'cpu':
                torch.cuda.synchronize()
            # Leave the warm-up out
            if turn >= warm_up:
                times[name].append(1000 * (time.perf_counter() - start))
    return {name: statistics.median(each) for name, each in times.items()}


def discs(device: str) -> SAMMasks:
    """Make overlapping discs on all levels."""
    # Draw centres and radii
    generator = torch.Generator().manual_seed(0)
    centres = torch.rand(MASKS, 2, generator=generator) * torch.tensor(SIZE)
    radii = 15 + 65 * torch.rand(MASKS, generator=generator)
    # Fill the discs, each on a random level
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
    """Follow Section 4.2 mask by mask, as one writes it down."""
    # Average each CAM over each mask
    positive = cams.clamp(min=0)
    means = torch.stack(
        [
            torch.stack([(cam * mask).sum() / mask.sum() for cam in positive])
            for mask in masks.masks
        ]
    )
    # Stretch the scores of a class to 0..1, and score the background
    low, high = means.amin(0), means.amax(0)
    scores = (means - low) / (high - low)
    background = (1 - scores.amax(1, keepdim=True)) ** alpha
    # Decide by the highest score
    best, winner = torch.cat([background, scores], dim=1).max(1)
    labels = torch.cat([classes.new_zeros(1), classes + 1])[winner]
    # Paint sub-parts first, then by rising confidence
    order = sorted(
        range(len(masks)), key=lambda i: (int(masks.levels[i]), float(best[i]))
    )
    seed = torch.zeros(masks.size, dtype=torch.uint8, device=cams.device)
    for index in order:
        seed[masks.masks[index]] = labels[index].to(torch.uint8)
    return seed


def time_seeders(device: str, repeats: int) -> dict[str, Any]:
    """Time SAMS, the loop, and the dense CRF on the same CAMs."""
    # Draw smooth CAMs and a smooth picture
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, CLASSES, 24, 32, generator=generator) - 0.3
    cams = torch.nn.functional.interpolate(coarse, SIZE, mode='bilinear')[0]
    picture = torch.rand(1, 3, 12, 16, generator=generator) * 255
    picture = torch.nn.functional.interpolate(picture, SIZE, mode='bilinear')
    image = picture[0].permute(1, 2, 0).to(torch.uint8).to(device)
    cams, classes = cams.to(device), torch.arange(CLASSES, device=device)
    masks, sams = discs(device), SAMS()
    crf = DenseCRF(backend='torch')
    # Time them, the slow CRF less often
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
    # Check that SAMS makes the seed of the loop
    slow = loop_seed(cams, classes, masks, sams.alpha)
    same = (sams(cams, classes, masks) == slow).float().mean()
    return {
        **{name: round(value, 2) for name, value in times.items()},
        'crf_over_sams': round(times['crf_ms'] / times['sams_ms'], 1),
        'sams_equals_loop': round(float(same), 6),
    }


def share_equal(ours: SAMMasks, theirs: np.ndarray) -> float:
    """Return the share of their masks of which we have one, IoU >= 0.99."""
    # Compare nothing with nothing
    if len(theirs) == 0:
        return float(len(ours) == 0)
    # Compute the IoU of all pairs of masks
    a = ours.masks.flatten(1).float()
    b = torch.from_numpy(theirs).flatten(1).float()
    shared = b @ a.T
    union = b.sum(1, keepdim=True) + a.sum(1) - shared
    iou = torch.where(union > 0, shared / union, 1)  # both without a pixel
    # Look for the best of ours
    best = iou.amax(1) if len(ours) else torch.zeros(len(b))
    return float((best >= 0.99).float().mean())


def time_everything(
    sam: Any,
    image: np.ndarray,
    settings: dict[str, Any],
    repeats: int,
    device: str,
    warm_up: bool = True,
) -> dict[str, Any]:
    """Compare our everything mode with segment_anything's."""
    # Set both up alike, without our changes
    sam = sam.to(device)
    stock = SamAutomaticMaskGenerator(sam, **settings)
    same = EverythingSettings(
        **settings, whole_iou_bonus=0.0, whole_first_nms=False
    )
    # Keep the masks and the memory of the last turn
    found: dict[str, Any] = {}
    peaks: dict[str, float] = {}

    def watched(name: str, function: Callable[[], Any]) -> Callable[[], None]:
        def run() -> None:
            reset_peak(device)
            found[name] = function()
            peaks[name] = max(peaks.get(name, 0.0), peak_megabytes(device))

        return run

    times = milliseconds(
        dict(
            # ours first: without a warm-up it is the one that pays for it
            ours=watched('ours', lambda: generate_masks(sam, image, same)),
            theirs=watched('theirs', lambda: stock.generate(image)),
        ),
        repeats,
        device,
        warm_up,
    )
    # Compare the masks
    masks = [record['segmentation'] for record in found['theirs']]
    reference = np.stack(masks) if masks else np.zeros((0, *image.shape[:2]))
    return dict(
        speedup=round(times['theirs'] / times['ours'], 2),
        equal=round(share_equal(found['ours'], reference), 4),
        masks=len(masks),
        points_per_side=settings['points_per_side'],
        crop_layers=settings['crop_n_layers'],
        repeats=repeats,
        ours_ms=round(times['ours'], 1),
        theirs_ms=round(times['theirs'], 1),
        ours_peak_mb=round(peaks['ours'], 1),
        theirs_peak_mb=round(peaks['theirs'], 1),
    )


def reset_peak(device: str) -> None:
    """Start anew to look for the peak of the memory."""
    if device != 'cpu':
        torch.cuda.reset_peak_memory_stats()
        return
    # Linux only; elsewhere peaks are of the whole run.
    with contextlib.suppress(OSError):
        Path('/proc/self/clear_refs').write_text('5')


def peak_megabytes(device: str) -> float:
    """Read the peak memory: of the accelerator, or of this process."""
    # Ask the accelerator
    if device != 'cpu':
        return torch.cuda.max_memory_allocated() / 2**20
    # Ask Linux for the peak since the reset, else for that of the run
    try:
        status = Path('/proc/self/status').read_text()
        return int(status.split('VmHWM:')[1].split()[0]) / 2**10
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def read_image(path: str | None) -> np.ndarray:
    """Read the picture, or draw one of PartWorld."""
    if path is None:
        return render_scene(seed=0, index=0).image
    return read_rgb(path)


def time_vit_b(
    args: argparse.Namespace, image: np.ndarray
) -> dict[str, Any] | None:
    """Time the everything mode with a ViT-B."""
    if args.vit_b == 'none':
        return None
    # Build the SAM; random weights need loose thresholds
    torch.manual_seed(0)
    if args.vit_b == 'random':
        sam, settings = liven(build_sam('vit_b', None)), LOOSE
    else:
        sam, settings = build_sam('vit_b', args.vit_b), HEAVY
    # Enlarge PartWorld's picture to a photo's size
    if args.image is None:
        image = cv2.resize(image, SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    return time_everything(
        sam,
        image,
        settings | dict(points_per_side=args.vit_b_points),
        args.vit_b_repeats,
        args.device,
        warm_up=args.vit_b_repeats > 1,
    )


def main(argv: list[str] | None = None) -> None:
    """Run everything and print one line."""
    args = parse_args(argv)
    result = time_seeders(args.device, args.repeats)
    # Time the everything mode, with the tiny SAM and a ViT-B
    image = read_image(args.image)
    config = Config.fromfile(ROOT / 'configs/fmwsss/partworld_sam_masks.py')
    source = config.model.source
    tiny = time_everything(
        build_sam(source.arch, source.checkpoint),
        image,
        TINY,
        args.everything_repeats,
        args.device,
    )
    vit_b = time_vit_b(args, image)
    # Sum up, and print one line
    runs = [run for run in (tiny, vit_b) if run is not None]
    result |= dict(
        everything_speedup=tiny['speedup'],
        everything_speedup_vit_b=None if vit_b is None else vit_b['speedup'],
        masks_equal=min(run['equal'] for run in runs),
        peak_mb=max(run['ours_peak_mb'] for run in runs),
        everything_tiny=tiny,
        everything_vit_b=vit_b,
        device=args.device,
        threads=torch.get_num_threads(),
    )
    print(json.dumps(result))


if __name__ == '__main__':
    main()
