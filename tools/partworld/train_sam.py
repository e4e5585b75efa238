# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Train the tiny SAM of PartWorld: segment_anything's model, point prompts.

The weights in the package came in five runs (--init), as the JSON beside them
tells. It learns on random assemblies of parts and sub-parts, never on
PartWorld's own classes, so that it is class-agnostic as SAM is. The three
outputs are trained to be the sub-part, the part and the whole under the
point; a point on the background asks for the band of background it lies in.
Writes the fp16 weights and a JSON record with the settings, the time and the
scores.
"""

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

EXAMPLES = r"""examples:
  python tools/partworld/train_sam.py --out work_dirs/tiny_sam
  python tools/partworld/train_sam.py --out work_dirs/tiny_sam \
      --init mmfmwsss/assets/tiny_sam.safetensors --steps 1000
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--steps',
        type=int,
        default=10000,
        help='of training (default: %(default)s)',
    )
    parser.add_argument(
        '--batch',
        type=int,
        default=8,
        help='pictures in a step (default: %(default)s)',
    )
    parser.add_argument(
        '--points',
        type=int,
        default=12,
        help='point prompts a picture (default: %(default)s)',
    )
    parser.add_argument(
        '--lr',
        type=float,
        default=1.5e-3,
        help='greatest learning rate (default: %(default)s)',
    )
    parser.add_argument(
        '--seed',
        type=int,
        default=0,
        help='of weights and points (default: %(default)s)',
    )
    parser.add_argument('--init', type=Path, help='weights to start from')
    parser.add_argument(
        '--threads',
        type=int,
        default=2,
        help='of torch (default: %(default)s)',
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('mmfmwsss/assets/tiny_sam'),
        help='weights and record, without suffix (default: %(default)s)',
    )
    return parser.parse_args()


if __name__ == '__main__':
    parse_args()  # --help and slips are answered before torch is imported

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from segment_anything.modeling import Sam
from torch import Tensor, nn

from mmfmwsss.apis import run_reporting_user_errors
from mmfmwsss.models.masks import build_small_sam
from mmfmwsss.utils import resolve_path
from mmfmwsss.workshop import partworld

SAM_CONFIG: dict[str, Any] = dict(
    image_size=128, patch_size=8, encoder_width=96, encoder_depth=5,
    encoder_heads=3, decoder_width=64, decoder_heads=4, decoder_mlp=256,
)  # fmt: skip
TRAIN_WORLD, HELD_OUT_WORLD = 2, 4  # seeds no other part of PartWorld uses
LEVELS = ('sub-part', 'part', 'whole')
LOW = 64  # side of the decoder's masks, pixels


def masks_under(scene: partworld.DrawnScene, y: int, x: int) -> np.ndarray:
    """Return sub-part, part and whole at a pixel, bool, (3, H, W).

    A missing sub-part is its part; the background answers with its band.
    """
    # Take the whole band at a pixel of the background
    number = scene.objects[y, x]
    if number == 0:
        band = (scene.regions == scene.regions[y, x]) & (scene.objects == 0)
        return np.stack([band] * 3)
    # Find the masks around the pixel, the part where it has no detail
    whole = scene.objects == number
    part = scene.parts == scene.parts[y, x]
    detail = scene.subparts[y, x]
    subpart = scene.subparts == detail if detail else part
    return np.stack([subpart, part, whole])


def draw_points(
    rng: np.random.Generator, scene: partworld.DrawnScene, count: int
) -> list[tuple[int, int]]:
    """Draw pixels (y, x): of sub-parts, parts, wholes and background."""
    points = []
    # Draw the kind of region, then the region
    for _ in range(count):
        layer = rng.choice(4, p=[0.25, 0.25, 0.3, 0.2])
        if layer == 3:
            candidates = scene.objects == 0
        else:
            numbers = (scene.subparts, scene.parts, scene.objects)[layer]
            present = np.unique(numbers[numbers > 0])
            if not len(present):
                continue
            candidates = numbers == rng.choice(present)
        # Draw a pixel in it
        ys, xs = np.nonzero(candidates)
        if len(ys):
            pick = rng.integers(len(ys))
            points.append((int(ys[pick]), int(xs[pick])))
    return points


def training_batch(
    rng: np.random.Generator, indices: np.ndarray, count: int
) -> tuple[Tensor, list[Tensor], Tensor]:
    """Draw pictures (N, 3, S, S), points (P, 2), masks (NP, 3, L, L)."""
    # Draw each picture upright or lying
    side = SAM_CONFIG['image_size']
    images, points, masks = [], [], []
    for index in indices:
        shorter = int(rng.choice([96, 112, 128]))
        size = (side, shorter) if rng.uniform() < 0.5 else (shorter, side)
        scene = partworld.render_assemblies(TRAIN_WORLD, int(index), size)
        # Pad it to the lower right, as SAM does
        image = np.zeros((side, side, 3), np.uint8)
        image[: size[0], : size[1]] = scene.image
        images.append(image)
        # Draw points in it, pixel centres in order (x, y)
        drawn = draw_points(rng, scene, count)
        points.append(torch.tensor([[x, y] for y, x in drawn]).float() + 0.5)
        # Draw the three masks of each point
        for y, x in drawn:
            target = np.zeros((3, side, side), np.float32)
            target[:, : size[0], : size[1]] = masks_under(scene, y, x)
            masks.append(target)
    # Zero padding comes after normalisation in SAM, so pad with the mean.
    batch = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float()
    targets = torch.from_numpy(np.stack(masks))
    return batch, points, F.avg_pool2d(targets, side // LOW)


def predict(
    sam: Sam, images: Tensor, points: list[Tensor]
) -> tuple[Tensor, Tensor]:
    """Predict mask logits (NP, 3, L, L) and IoU (NP, 3)."""
    # Normalise, with zeros in the padding
    padding = (images.sum(1, keepdim=True) == 0).float()
    normalised = (images - sam.pixel_mean) / sam.pixel_std
    embeddings = sam.image_encoder(normalised * (1 - padding))
    # Prompt with each point, image by image
    logits, scores = [], []
    for embedding, coordinates in zip(embeddings, points, strict=True):
        labels = torch.ones(len(coordinates), 1)
        sparse, dense = sam.prompt_encoder(
            points=(coordinates[:, None], labels), boxes=None, masks=None
        )
        low, iou = sam.mask_decoder(
            image_embeddings=embedding[None],
            image_pe=sam.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )
        logits.append(low)
        scores.append(iou)
    return torch.cat(logits), torch.cat(scores)


def mask_loss(
    logits: Tensor, scores: Tensor, target: Tensor
) -> tuple[Tensor, Tensor]:
    """Add up 2 BCE + dice + IoU regression; mean IoU of levels, (3,)."""
    # Compare pixel by pixel, and by overlap
    bce = F.binary_cross_entropy_with_logits(logits, target, reduction='none')
    probability = logits.sigmoid()
    overlap = (probability * target).sum((2, 3))
    total = probability.sum((2, 3)) + target.sum((2, 3))
    dice = 1 - (2 * overlap + 1) / (total + 1)
    # Measure the IoU that the scores are to tell
    with torch.no_grad():
        predicted, truth = logits > 0, target > 0.5
        union = (predicted | truth).sum((2, 3)).clamp(min=1)
        iou = (predicted & truth).sum((2, 3)) / union
    loss = 2 * bce.mean() + dice.mean() + F.mse_loss(scores, iou)
    return loss, iou.mean(0)


def train(args: argparse.Namespace) -> None:
    """Train, save and report."""
    # Seed all generators
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    rng = np.random.default_rng(args.seed)
    sam = build_small_sam(**SAM_CONFIG)
    if args.init is not None:
        sam.load_state_dict(
            load_file(resolve_path(args.init, 'Correct --init.'))
        )
    print(f'{sum(p.numel() for p in sam.parameters()) / 1e6:.2f} M parameters')
    # Warm up, then follow a cosine
    optimizer = torch.optim.AdamW(
        sam.parameters(), lr=args.lr, betas=(0.9, 0.98), weight_decay=0.01
    )
    warm_up = min(100, args.steps // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(
            (step + 1) / warm_up,
            0.5 * (1 + math.cos(math.pi * step / args.steps)) + 0.005,
        ),
    )
    running = torch.zeros(3)
    started = time.time()
    for step in range(args.steps):
        indices = np.arange(step * args.batch, (step + 1) * args.batch)
        # Draw pictures that no earlier step has seen
        images, points, target = training_batch(rng, indices, args.points)
        # Predict in half precision, but compute the loss in full
        with torch.autocast('cpu', dtype=torch.bfloat16):
            logits, scores = predict(sam, images, points)
        loss, iou = mask_loss(logits.float(), scores.float(), target)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(sam.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        running += iou
        # Report the mean of the last steps, and save
        if (step + 1) % 100 == 0 or step + 1 == args.steps:
            mean = running / (step % 100 + 1)
            running.zero_()
            seconds = time.time() - started
            levels = '  '.join(
                f'{name} {value:.3f}'
                for name, value in zip(LEVELS, mean, strict=True)
            )
            print(
                f'step {step + 1}/{args.steps}  loss {loss.item():.3f}  '
                f'mean IoU: {levels}  {seconds:.0f} s',
                flush=True,
            )
            save(sam, args, step + 1, mean.tolist(), seconds)


def save(
    sam: Sam,
    args: argparse.Namespace,
    steps: int,
    iou: list[float],
    seconds: float,
) -> None:
    """Write weights (fp16) and the record of how they came about."""
    args.out.parent.mkdir(parents=True, exist_ok=True)
    # Save half floats
    weights = {
        name: value.detach().to(torch.float16).contiguous()
        for name, value in sam.state_dict().items()
    }
    save_file(weights, args.out.with_suffix('.safetensors'))
    # Record how the weights were made
    record = dict(
        script='tools/partworld/train_sam.py',
        config=SAM_CONFIG,
        steps=steps,
        scheduled_steps=args.steps,
        batch=args.batch,
        points=args.points,
        lr=args.lr,
        seed=args.seed,
        init=_record_of(args.init),
        seconds=round(seconds),
        threads=args.threads,
        torch=torch.__version__,
        mean_iou_last_hundred_steps=dict(
            zip(LEVELS, [round(value, 4) for value in iou], strict=True)
        ),
    )
    args.out.with_suffix('.json').write_text(json.dumps(record, indent=2))


def _record_of(weights: Path | None) -> dict[str, Any] | None:
    """Read how the weights that training started from were made."""
    if weights is None:
        return None
    return json.loads(weights.with_suffix('.json').read_text())


def main() -> int:
    """Train as the command line says."""
    train(parse_args())
    return 0


if __name__ == '__main__':
    run_reporting_user_errors(main)
