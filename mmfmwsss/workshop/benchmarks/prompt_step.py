# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Time a step of the segmentation prompts against a straightforward one.

A step is L_CAL on seeds that are given, forward and backward to the prompts:
ViT-B/16 with random weights of full size, the 45 class-specific prompts of VOC
(16 contexts), batches of 4 and 16 crops of 224 pixels with 1.5 classes each.

The straightforward step pads texts to 77 tokens, runs all of them through the
text tower, and differentiates the last block twice; it makes a row for each
(image, class) pair, so that no pair pays for another's image. At batch 4 the
way of the released code is timed, too: one gradient of the whole batch for
each pair, batched, and the attention of all blocks.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import torch
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from ...models.cams import needed_prompts, softmax_gradcam
from ...models.clip import FrozenCLIP, ImageFeatures, TrunkCache
from ...models.segmentors import CLIPPromptSegmentor
from .comparison import (
    Row,
    Settings,
    check,
    relative_difference,
    rows_of_threads,
)
from .flops import count_flops
from .slow_prompt_step import Straightforward
from .timing import threads

__all__ = ['compare_prompt_steps']

SIDE, CLASSES = 224, 20
# Largest relative difference of maps, of a gradient, of the loss.
LIMITS = dict(maps=1e-4, gradients=1e-4, losses=1e-3)


def compare_prompt_steps(settings: Settings) -> Iterator[Row]:
    """Measure a step at batch 4 and 16."""
    if settings.quick:
        from ..tiny_models import random_clip_arch

        yield from _rows(build_model(random_clip_arch()), 3, 32, 1, settings)
        return
    model = build_model('ViT-B-16-quickgelu')
    yield from _rows(model, 4, SIDE, 2, settings)
    yield from _rows(model, 16, SIDE, 2, settings)


def _rows(
    model: CLIPPromptSegmentor,
    batch: int,
    side: int,
    repeats: int,
    settings: Settings,
) -> Iterator[Row]:
    """Compare the ways, then time them, for one size of batch."""
    images, samples = make_batch(batch, side)
    # Compare their results
    found = compare(model, images, samples)
    equality = ', '.join(
        check(what, found[what], limit) for what, limit in LIMITS.items()
    )
    # Time the ways, that of the released code for small batches only
    slow = Straightforward(model)
    ways = dict(
        ours=step(model, lambda: model.loss(images, samples)['loss_cal']),
        straightforward=step(model, lambda: slow.loss(images, samples)),
    )
    if batch <= 4:
        theirs = Straightforward(model, released=True)
        ways['released code'] = step(
            model, lambda: theirs.loss(images, samples)
        )
    ways['ours, trunk cached'] = step(
        model, cached_loss(model, images, samples)
    )
    # Count the arithmetic, which bounds what may be gained
    counted = count_parts(model, images, samples)
    for row in rows_of_threads(
        f'prompt step, batch {batch}',
        equality,
        ways,
        repeats,
        settings.threads,
    ):
        # Say where our time goes
        with threads(row.threads):
            row.notes['parts in s'] = time_parts(model, images, samples)
        row.notes |= counted
        yield row


def build_model(arch: str | dict[str, Any]) -> CLIPPromptSegmentor:
    """Build the segmentation stream alone, on random weights."""
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmseg'):
        return MODELS.build(
            dict(
                type='CLIPPromptSegmentor',
                clip=dict(type='FrozenCLIP', arch=arch),
                class_prompts='voc12',
                streams=dict(
                    segmentation=dict(
                        type='CLIPPromptHead',
                        prompts=dict(
                            type='LearnablePrompts',
                            class_specific=True,
                            name_position='front',
                            nameless_background=True,
                        ),
                        loss=dict(type='CAMActivationLoss'),
                    )
                ),
                caa=dict(type='CAA'),
                routes=dict(),
            )
        ).train()


def make_batch(size: int, side: int) -> tuple[Tensor, list[SegDataSample]]:
    """Make images of one and of two random classes, and seeds in blocks."""
    # Draw the images
    generator = torch.Generator().manual_seed(size)
    images = torch.randn(size, 3, side, side, generator=generator)
    samples = []
    # Draw the classes of the image
    for n in range(size):
        present = torch.randperm(CLASSES, generator=generator)[: 1 + n % 2]
        sample = SegDataSample()
        sample.image_labels = torch.zeros(CLASSES, dtype=torch.bool)
        sample.image_labels[present] = True
        # Draw a seed of large blocks of these classes
        values = torch.cat([torch.zeros(1, dtype=torch.int64), present + 1])
        blocks = torch.randint(len(values), (1, 4, 4), generator=generator)
        seed = values[blocks].repeat_interleave(side // 4, 1)
        seed = seed.repeat_interleave(side // 4, 2)
        sample.gt_sem_seg = PixelData(data=seed)
        samples.append(sample)
    return images, samples


def our_cams(
    model: CLIPPromptSegmentor, images: Tensor, labels: Tensor
) -> Tensor:
    """Compute the maps of our step."""
    # Encode the images, and the prompts that they need
    features, last_block = model.encode(images, with_attention=False)
    text = model.stream('segmentation').text_features(
        model.clip, needed_prompts(labels, len(model.class_prompts.background))
    )
    # Take the gradient in closed form
    cams, _ = softmax_gradcam(
        features, last_block, text, model.clip.scale, labels
    )
    return cams


def step(
    model: CLIPPromptSegmentor, loss: Callable[[], Tensor]
) -> Callable[[], float]:
    """Make a function of forward and backward, which returns the loss."""

    def run() -> float:
        model.zero_grad(set_to_none=True)
        value = loss()
        value.backward()
        return float(value.detach())

    return run


def compare(
    model: CLIPPromptSegmentor, images: Tensor, samples: list[SegDataSample]
) -> dict[str, float]:
    """Measure how far maps, gradient and loss are from the slow way."""
    # Compute the maps in both ways
    labels = torch.stack([s.image_labels for s in samples])
    slow = Straightforward(model)
    context = model.stream('segmentation').prompts.context
    ours = our_cams(model, images, labels)
    theirs, _ = slow.cams(images, labels, slow.text())
    # Compare gradients through the maps, weighted at random
    weight = torch.randn_like(theirs)
    grads = [
        torch.autograd.grad((cams * weight).sum(), context)[0]
        for cams in (ours, theirs)
    ]
    # Compare the losses
    with torch.no_grad():
        fast = float(model.loss(images, samples)['loss_cal'])
    value = float(slow.loss(images, samples).detach())
    return dict(
        maps=relative_difference(ours.detach(), theirs.detach()),
        gradients=relative_difference(*grads),
        losses=abs(fast - value) / abs(value),
    )


def time_parts(
    model: CLIPPromptSegmentor,
    images: Tensor,
    samples: list[SegDataSample],
) -> dict[str, float]:
    """Time the parts of our step, once each."""
    labels = torch.stack([s.image_labels for s in samples])
    seeds = torch.cat([s.gt_sem_seg.data for s in samples])
    stream, clip = model.stream('segmentation'), model.clip
    times = [time.perf_counter()]

    def done() -> None:
        times.append(time.perf_counter())

    # Encode the images
    features = clip.encode_trunk(images, with_attention=False)
    done()
    last_block = clip.run_last_block(features)
    done()
    # Encode the prompts
    text = stream.text_features(
        clip, needed_prompts(labels, len(model.class_prompts.background))
    )
    done()
    # Cut the graph at the texts, to time both halves of the backward
    given = text.detach().requires_grad_()
    cams, pairs = softmax_gradcam(
        features, last_block, given, clip.scale, labels
    )
    stream.cam_loss(cams, pairs, seeds)['loss_cal'].backward()
    done()
    # Pass the gradient on to the prompts
    text.backward(given.grad)
    done()
    names = ('trunk', 'last_block', 'text', 'cams_and_loss', 'text_backward')
    # Take the differences of the clock
    return {
        name: round(b - a, 3)
        for name, a, b in zip(names, times[:-1], times[1:], strict=True)
    }


def count_parts(
    model: CLIPPromptSegmentor, images: Tensor, samples: list[SegDataSample]
) -> dict[str, Any]:
    """Count the arithmetic of both steps and of the trunk, which both run."""
    slow = Straightforward(model)
    counted = {
        'ours': step(model, lambda: model.loss(images, samples)['loss_cal']),
        'straightforward': step(model, lambda: slow.loss(images, samples)),
        'trunk': lambda: model.clip.encode_trunk(images, with_attention=False),
    }
    flops = {name: count_flops(way) for name, way in counted.items()}
    others = flops['straightforward']
    return {
        'GFLOP counted': {n: round(f / 1e9, 2) for n, f in flops.items()},
        'straightforward over ours': round(others / flops['ours'], 2),
        'over the trunk alone': round(others / flops['trunk'], 2),
    }


def cached_loss(
    model: CLIPPromptSegmentor, images: Tensor, samples: list[SegDataSample]
) -> Callable[[], Tensor]:
    """Make a function of our loss with the trunk's output at hand."""
    # Run the trunk once
    kept = model.clip.encode_trunk(images, with_attention=False)

    class Kept:
        def features(self, clip: FrozenCLIP, *_: Any) -> ImageFeatures:
            return clip.resume_trunk(kept.residual, kept.attention, kept.grid)

    def loss() -> Tensor:
        # Put its output in the place of the cache
        model.use_trunk_cache(cast(TrunkCache, Kept()))
        try:
            return model.loss(images, samples)['loss_cal']
        finally:
            model.use_trunk_cache(None)

    return loss
