# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Compare the arithmetic rate that is reached with that of this machine.

The arithmetic of matrix products, convolutions and attention is counted; what
else is done costs time and counts nothing. The rate of the machine is that of
a product of two square float32 matrices.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch

from ...models.clip import FrozenCLIP
from ...models.masks import EverythingSettings, build_sam, generate_masks
from ..partworld import render_scene
from ..tiny_models import random_clip, random_clip_arch
from .class_maps import our_maps
from .comparison import Row, Settings
from .everything_mode import TINY_SAM
from .flops import count_flops
from .prompt_step import build_model, make_batch, step
from .timing import take_turns, threads

__all__ = ['compare_with_roofline']


def compare_with_roofline(settings: Settings) -> Iterator[Row]:
    """Measure the rates of the three expensive parts."""
    side = 128 if settings.quick else 2048
    square = torch.rand(side, side)
    for case, way in _cases(settings).items():
        flops = count_flops(way)
        for count in settings.threads:
            with threads(count):
                times = take_turns(
                    {
                        'ours': way,
                        'matrix product': lambda: torch.mm(square, square),
                    },
                    1 if settings.quick else 2,
                )
            # Divide the counted arithmetic by the measured times
            reached = flops / times['ours'].wall
            peak = 2 * side**3 / times['matrix product'].fastest
            yield Row(
                case,
                '',
                count,
                dict(ours=times['ours']),
                {
                    'GFLOP counted': round(flops / 1e9, 2),
                    'GFLOP/s reached': round(reached / 1e9, 1),
                    'GFLOP/s of a matrix product': round(peak / 1e9, 1),
                    'share': f'{reached / peak:.0%}',
                },
            )


def _cases(settings: Settings) -> dict[str, Callable[[], Any]]:
    """List the parts, at small sizes if quick."""
    torch.manual_seed(0)
    quick = settings.quick
    # A step of the prompts
    arch = random_clip_arch() if quick else 'ViT-B-16-quickgelu'
    model = build_model(arch)
    images, samples = make_batch(4, 32 if quick else 224)
    # CAM and affinity of an image with two classes
    clip = random_clip() if quick else FrozenCLIP(arch)
    image = torch.randn(1, 3, *((32, 48) if quick else (384, 512)))
    text = torch.randn(45, clip.model.visual.output_dim)
    text = torch.nn.functional.normalize(text, dim=1)
    labels = torch.arange(20)[None] < 2
    # Everything mode of full size, random weights
    sam = build_sam(TINY_SAM if quick else 'vit_b', None)
    points = EverythingSettings(
        pred_iou_thresh=-10.0,
        stability_score_thresh=0.0,
        crop_n_layers=0,
        min_mask_region_area=0,
        points_per_side=4 if quick else 8,
    )
    picture = render_scene(seed=0, index=0).image
    return {
        'prompt step, batch 4': step(
            model, lambda: model.loss(images, samples)['loss_cal']
        ),
        'CAM and CAA, 2 classes': lambda: our_maps(clip, image, text, labels),
        'everything mode, ViT-B': lambda: generate_masks(sam, picture, points),
    }
