# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Time a step of the segmentation prompts against a straightforward one.

A step is L_CAL on seeds that are given, forward and backward to the prompts:
ViT-B/16 with random weights of full size, the 45 class-specific prompts of VOC
(16 contexts), batches of 4 and 16 crops of 224 pixels with 1.5 classes each.

The straightforward step pads texts to 77 tokens, runs all of them through the
text tower, and differentiates the last block twice; it makes a row for each
(image, class) pair, so that no pair pays for another's image. --released times
the way of the released code at batch 4, too: one gradient of the whole batch
for each pair, batched, and the attention of all blocks.

Steps take turns in this process. Prints one JSON line: `speedup_b4` and
`speedup_b16` (ratios of medians), `cam_rel_diff` and `grad_rel_diff` (largest
difference over largest value, of the maps and of a smooth function's gradient
with respect to the prompts), `loss_rel_diff`, `step_s`, `straightforward_s`,
`parts_s` (where our time goes) and `cached_s` (without the trunk, as when
TrunkCacheHook has it).
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

CLOCKS = dict(wall=time.perf_counter, cpu=time.process_time)
EXAMPLES = r"""examples:
  python tools/benchmarks/prompt_step.py --threads 2
  python tools/benchmarks/prompt_step.py --clock cpu --released
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--threads',
        type=int,
        default=1,
        help='of torch (default: %(default)s)',
    )
    parser.add_argument(
        '--repeats',
        type=int,
        default=3,
        help='steps that are timed (default: %(default)s)',
    )
    parser.add_argument(
        '--batches',
        type=int,
        nargs='+',
        default=[4, 16],
        metavar='N',
        help='images in a batch (default: 4 16)',
    )
    parser.add_argument(
        '--clock',
        choices=list(CLOCKS),
        default='wall',
        help='cpu: seconds of CPU time, for a busy machine and one thread '
        '(default: %(default)s)',
    )
    parser.add_argument(
        '--released',
        action='store_true',
        help='time the way of the released code too; slow',
    )
    return parser.parse_args()


if __name__ == '__main__':
    parse_args()  # --help and slips are answered before torch is imported

import torch
import torch.nn.functional as F
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

import mmfmwsss  # noqa: F401  before mmseg: registers, and readies mmcv
from mmfmwsss.models.cams import needed_prompts, softmax_gradcam
from mmfmwsss.models.clip import FrozenCLIP, ImageFeatures, TrunkCache
from mmfmwsss.models.segmentors import CLIPPromptSegmentor

SIDE, CLASSES = 224, 20
ALL_TOKENS = 77


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


class Straightforward:
    """Compute the step in the obvious way, to compare with.

    Args:
        model (CLIPPromptSegmentor): Whose weights, prompts and loss it uses.
        released (bool): One gradient of the whole batch a pair, and the
            attention of all blocks, as in the released code.
    """

    def __init__(
        self, model: CLIPPromptSegmentor, released: bool = False
    ) -> None:
        self.clip = model.clip.model
        self.stream = model.stream('segmentation')
        self.released = released

    def text(self) -> Tensor:
        """Encode all prompts, padded to 77 tokens, (G, E)."""
        clip, prompts = self.clip, self.stream.prompts
        # Pad the prompts, which our step cuts to their length
        embeddings = prompts.embeddings()
        padding = ALL_TOKENS - embeddings.shape[1]
        x = F.pad(embeddings, (0, 0, 0, padding)) + clip.positional_embedding
        # Take the end token's state as the text
        x = clip.transformer(x, attn_mask=clip.attn_mask)
        x = clip.ln_final(x)[torch.arange(len(x)), prompts.ends]
        return F.normalize(x @ clip.text_projection, dim=1)

    @torch.no_grad()
    def trunk(self, images: Tensor) -> Tensor:
        """Compute the input of the last block, (N, L, D)."""
        visual = self.clip.visual
        # Embed the patches, class token first
        x = visual.conv1(images).flatten(2).transpose(1, 2)
        first = visual.class_embedding.expand(len(x), 1, -1)
        x = torch.cat([first, x], dim=1) + visual.positional_embedding
        x = visual.ln_pre(x)
        # Run all blocks but the last
        for block in visual.transformer.resblocks[:-1]:
            if self.released:
                normalised = block.ln_1(x)
                x = x + block.attn(normalised, normalised, normalised)[0]
                x = x + block.mlp(block.ln_2(x))
            else:
                x = block(x)
        return x

    def embed(self, tokens: Tensor, residual: Tensor) -> Tensor:
        """Run last block and head, (N, E)."""
        visual = self.clip.visual
        block = visual.transformer.resblocks[-1]
        # With weights: fused attention has no second derivative.
        x = residual + block.attn(tokens, tokens, tokens)[0]
        x = x + block.mlp(block.ln_2(x))
        return visual.ln_post(x)[:, 1:].mean(dim=1) @ visual.proj

    def scores(
        self, embedding: Tensor, text: Tensor, labels: Tensor
    ) -> Tensor:
        """Compute the scores of Eq. 1."""
        logits = F.normalize(embedding, dim=1) @ text.T
        logits = self.clip.logit_scale.exp() * logits
        absent = F.pad(~labels, (0, logits.shape[1] - labels.shape[1]))
        return logits.masked_fill(absent, float('-inf')).softmax(dim=1)

    def cams(
        self, images: Tensor, labels: Tensor, text: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Compute maps by a gradient that is differentiable, (P, h, w)."""
        # Run the trunk, and list the pairs of image and class
        residual = self.trunk(images)
        block = self.clip.visual.transformer.resblocks[-1]
        pairs = labels.nonzero()
        image, category = pairs.unbind(1)
        with torch.no_grad():
            tokens = block.ln_1(residual)
        # Differentiate all pairs in one batched pass, as the released code
        if self.released:
            leaf = tokens.requires_grad_()
            scores = self.scores(self.embed(leaf, residual), text, labels)
            (grad,) = torch.autograd.grad(
                scores[image, category],
                leaf,
                torch.eye(len(pairs)),
                is_grads_batched=True,
                create_graph=True,
            )
            grad = grad[torch.arange(len(pairs)), image]
        else:
            # Copy the tokens for each pair, and differentiate the sum
            leaf = tokens[image].requires_grad_()
            embedding = self.embed(leaf, residual[image])
            scores = self.scores(embedding, text, labels[image])
            (grad,) = torch.autograd.grad(
                scores[torch.arange(len(pairs)), category].sum(),
                leaf,
                create_graph=True,
            )
        # Weight the channels by the gradient, Eq. 2
        weights = grad[:, 1:].mean(dim=1, keepdim=True)
        cams = (tokens.detach()[image, 1:] * weights).sum(dim=2)
        side = images.shape[-1] // self.clip.visual.patch_size[0]
        return cams.unflatten(1, (side, side)), pairs

    def loss(self, images: Tensor, samples: list[SegDataSample]) -> Tensor:
        """Compute L_CAL of the batch."""
        labels = torch.stack([s.image_labels for s in samples])
        seeds = torch.cat([s.gt_sem_seg.data for s in samples])
        cams, pairs = self.cams(images, labels, self.text())
        return self.stream.cam_loss(cams, pairs, seeds)['loss_cal']


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


def seconds(
    functions: Mapping[str, Callable[[], Any]], repeats: int, clock: str
) -> dict[str, float]:
    """Measure median times by turns, after a warm-up."""
    # Take turns, so that a busy moment hits all alike
    times: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(repeats + 1):
        for name, function in functions.items():
            start = CLOCKS[clock]()
            function()
            # Leave the warm-up out
            if turn:
                times[name].append(CLOCKS[clock]() - start)
    return {name: statistics.median(each) for name, each in times.items()}


def relative(ours: Tensor, theirs: Tensor) -> float:
    """Divide the largest difference by the largest value."""
    return float((ours - theirs).abs().max() / theirs.abs().max())


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
        cam_rel_diff=relative(ours.detach(), theirs.detach()),
        grad_rel_diff=relative(*grads),
        loss_rel_diff=abs(fast - value) / abs(value),
    )


def time_parts(
    model: CLIPPromptSegmentor,
    images: Tensor,
    samples: list[SegDataSample],
    clock: str,
) -> dict[str, float]:
    """Time the parts of our step, once each."""
    labels = torch.stack([s.image_labels for s in samples])
    seeds = torch.cat([s.gt_sem_seg.data for s in samples])
    stream, clip = model.stream('segmentation'), model.clip
    times = [CLOCKS[clock]()]

    def done() -> None:
        times.append(CLOCKS[clock]())

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


def run(
    model: CLIPPromptSegmentor,
    batch: int,
    side: int = SIDE,
    repeats: int = 1,
    clock: str = 'wall',
    released: bool = False,
) -> dict[str, Any]:
    """Measure everything for one size of batch."""
    # Set up the batch and the ways
    images, samples = make_batch(batch, side)
    slow = Straightforward(model)
    functions = dict(
        ours=step(model, lambda: model.loss(images, samples)['loss_cal']),
        straightforward=step(model, lambda: slow.loss(images, samples)),
        cached=step(model, cached_loss(model, images, samples)),
    )
    if released:
        theirs = Straightforward(model, released=True)
        functions['released'] = step(
            model, lambda: theirs.loss(images, samples)
        )
    # Time them, and compare their results
    return dict(
        times=seconds(functions, repeats, clock),
        parts=time_parts(model, images, samples, clock),
        **compare(model, images, samples),
    )


def main() -> None:
    """Run everything and print one line."""
    # Build the model once
    args = parse_args()
    torch.set_num_threads(args.threads)
    model = build_model('ViT-B-16-quickgelu')
    result: dict[str, Any] = {}
    tables: dict[str, dict[str, Any]] = {}
    worst: dict[str, float] = {}
    # Measure each size of batch
    for batch in args.batches:
        found = run(
            model,
            batch,
            repeats=args.repeats,
            clock=args.clock,
            released=args.released and batch == 4,
        )
        # Relate the times
        times, key = found.pop('times'), f'b{batch}'
        result[f'speedup_{key}'] = round(
            times['straightforward'] / times['ours'], 2
        )
        if 'released' in times:
            ratio = times['released'] / times['ours']
            result[f'speedup_released_{key}'] = round(ratio, 2)
        for name in ('ours', 'straightforward', 'cached'):
            label = 'step_s' if name == 'ours' else f'{name}_s'
            tables.setdefault(label, {})[key] = round(times[name], 3)
        tables.setdefault('parts_s', {})[key] = found.pop('parts')
        # Keep the worst difference of all sizes
        for name, value in found.items():
            worst[name] = max(value, worst.get(name, 0.0))
    result |= {name: float(f'{value:.2g}') for name, value in worst.items()}
    result |= tables
    result |= dict(
        threads=args.threads, clock=args.clock, torch=torch.__version__
    )
    print(json.dumps(result))


if __name__ == '__main__':
    main()
