# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Compare the arithmetic rate that is reached with that of this machine.

The arithmetic of matrix products, convolutions and attention is counted; what
else is done costs time and counts nothing. The rate of the machine is that of
a product of two square float32 matrices.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from ...models.clip import FrozenCLIP
from ...models.masks import EverythingSettings, build_sam, generate_masks
from ..partworld import render_scene
from ..tiny_models import random_clip, random_clip_arch
from .class_maps import our_maps
from .comparison import Row, Settings
from .everything_mode import TINY_SAM
from .prompt_step import build_model, make_batch, step
from .timing import take_turns, threads

__all__ = ['compare_with_roofline', 'count_flops']


def compare_with_roofline(settings: Settings) -> list[Row]:
    """Measure the rates of the three expensive parts."""
    side = 128 if settings.quick else 2048
    square = torch.rand(side, side)
    rows = []
    for case, way in _cases(settings).items():
        flops = count_flops(way)
        for count in settings.threads:
            with threads(count):
                times = take_turns(
                    {
                        'ours': way,
                        'matrix product': lambda: torch.mm(square, square),
                    },
                    1 if settings.quick else 3,
                )
            # Divide the counted arithmetic by the measured times
            reached = flops / times['ours'].wall
            peak = 2 * side**3 / times['matrix product'].fastest
            rows.append(
                Row(
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
            )
    return rows


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
        points_per_side=4 if quick else 12,
    )
    picture = render_scene(seed=0, index=0).image
    return {
        'prompt step, batch 4': step(
            model, lambda: model.loss(images, samples)['loss_cal']
        ),
        'CAM and CAA, 2 classes': lambda: our_maps(clip, image, text, labels),
        'everything mode, ViT-B': lambda: generate_masks(sam, picture, points),
    }


def count_flops(way: Callable[[], Any]) -> int:
    """Count the arithmetic of a function.

    Args:
        way (Callable): A function without arguments.

    Returns:
        int: Additions and multiplications of its matrix products.

    Example:
        >>> a = torch.ones(2, 3)
        >>> count_flops(lambda: a @ a.T)
        24
    """
    counter = FlopCounterMode(display=False, custom_mapping=_onednn_counts())
    with counter:
        way()
    return int(counter.get_total_flops())


def _onednn_counts() -> dict[Any, Callable[..., int]]:
    """Teach the counter the linear layer of oneDNN, which it does not know."""
    operator = getattr(torch.ops.mkldnn, '_linear_pointwise', None)
    if operator is None:
        return {}

    def count(x: Any, weight: Any, *_: Any, **__: Any) -> int:
        rows = 1
        for length in x[:-1]:
            rows *= length
        return int(2 * rows * weight[0] * weight[1])

    return {operator: count}
