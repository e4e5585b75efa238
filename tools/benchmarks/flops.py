# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Count the arithmetic of the full-size stages, and estimate their hours.

The models are built without weights and their floating-point operations are
counted by torch (a multiplication and an addition are two); a training step is
three forward passes. Hours are operations over what the GPU is assumed to
reach; reading, masks' clean-up, seeds and logging are not in them. Nothing is
measured.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

EXAMPLES = r"""examples:
  python tools/benchmarks/flops.py
  python tools/benchmarks/flops.py --tflops 60 --gpus 1 4
"""

# Photos of (train, val), classes and backgrounds of the prompts, epochs of
# the prompts, iterations of DeepLabV3+ and of Mask2Former.
DATA_SETS = {
    'VOC 2012': (10582, 1449, 45, 25, 40_000, 80_000),
    'COCO 2014': (82081, 40137, 103, 10, 160_000, 100_000),
}
CROPS, POINTS = 5, 32**2 + 4 * 16**2  # of SAM in everything mode, a photo
PAIRS = 1.5  # classes of a photo, about
BATCH, FORMER_BATCH = 16, 4
SCALES = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)  # of --tta, each mirrored too


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--tflops',
        type=float,
        default=9.75,
        help='10^12 operations a second that a GPU reaches (default: '
        '%(default)s, half of the 19.5 of an A100 in float32)',
    )
    parser.add_argument(
        '--gpus',
        type=int,
        nargs='+',
        default=[1, 8],
        help='numbers of GPUs, which are taken to share perfectly (default: '
        '1 8)',
    )
    return parser.parse_args(argv)


@dataclass(frozen=True)
class Counts:
    """Hold operations of one forward pass, 10^9.

    Attributes:
        sam_encoder: SAM ViT-H, a crop of 1024 x 1024.
        sam_point: SAM's decoder, a point.
        clip_crop: CLIP ViT-B/16, a crop of 224 x 224.
        clip_photo: The same at 496 x 368, for seeds.
        clip_text: Its text tower, a prompt.
        deeplab: DeepLabV3+ ResNet-101, a crop of 512 x 512.
        deeplab_photo: The same at 512 x 683.
        mask2former: Mask2Former Swin-L, a crop of 512 x 512.
        mask2former_photo: The same at 512 x 683.
    """

    sam_encoder: float
    sam_point: float
    clip_crop: float
    clip_photo: float
    clip_text: float
    deeplab: float
    deeplab_photo: float
    mask2former: float
    mask2former_photo: float


def count(run: Callable[[], Any]) -> float:
    """Count the operations of a call, 10^9."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops() / 1e9


def count_models() -> Counts:
    """Count all models; the decoders run on the CPU, the rest nowhere."""
    import open_clip
    import torch
    from segment_anything import sam_model_registry

    # Count SAM: the decoder is the same for every encoder
    with torch.device('meta'):
        encoder = sam_model_registry['vit_h']().image_encoder.eval()
    encoder_count = count(lambda: encoder(meta(1, 3, 1024, 1024)))
    sam = sam_model_registry['vit_b']().eval().requires_grad_(False)
    point = count_sam_point(sam)
    # Count both towers of CLIP
    clip = open_clip.create_model('ViT-B-16-quickgelu', device='meta').eval()
    tokens = 31 * 23 + 1
    words = torch.zeros(1, 77, dtype=torch.long, device='meta')
    # Count the networks of stage 2
    sizes = ((512, 512), (512, 683))
    deeplab = [count_network('deeplabv3plus_r101', *size) for size in sizes]
    former = [count_network('mask2former_swin_l', *size) for size in sizes]
    return Counts(
        encoder_count,
        point,
        count(lambda: clip.encode_image(meta(1, 3, 224, 224))),
        count(lambda: clip.visual.transformer(meta(1, tokens, 768))),
        count(lambda: clip.encode_text(words)),
        *deeplab,
        *former,
    )


def meta(*shape: int) -> Any:
    """Make a tensor without memory."""
    import torch

    return torch.empty(*shape, device='meta')


def count_sam_point(sam: Any) -> float:
    """Count SAM's prompt encoder and mask decoder for one of 64 points."""
    import torch

    def decode() -> None:
        points = torch.zeros(64, 1, 2), torch.ones(64, 1)
        sparse, dense = sam.prompt_encoder(points, None, None)
        sam.mask_decoder(
            image_embeddings=torch.zeros(1, 256, 64, 64),
            image_pe=sam.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )

    return count(decode) / 64


def count_network(name: str, height: int, width: int) -> float:
    """Count a network of stage 2 on one image.

    Mask2Former's head runs on the CPU at 512 x 512 and is taken to grow with
    the image; its sampling of points is not counted by torch.
    """
    from functools import partial
    from pathlib import Path

    import torch
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from mmseg.registry import MODELS

    import mmfmwsss  # noqa: F401  registers, and readies mmcv

    # Build the network without memory for its weights
    init_default_scope('mmseg')
    root = Path(__file__).parents[2]
    model = Config.fromfile(root / f'configs/fmwsss/voc_{name}.py').model
    linspace, features = torch.linspace, meta(1, 3, height, width)
    torch.linspace = partial(linspace, device='cpu')  # its values are read
    with torch.device('meta'):
        backbone = MODELS.build(model.backbone)
        backbone.eval()  # which returns nothing
    torch.linspace = linspace
    total = count(lambda: backbone(features))
    # Add the head
    if name.startswith('deeplab'):
        with torch.device('meta'):
            head = MODELS.build(model.decode_head).eval()
        maps = backbone(features)
        return total + count(lambda: head(maps))
    channels = model.decode_head.in_channels
    maps = [
        torch.zeros(1, width, 128 >> level, 128 >> level)
        for level, width in enumerate(channels)
    ]
    head = MODELS.build(model.decode_head).eval().requires_grad_(False)
    share = height * width / 512**2
    return total + share * count(lambda: head(maps, [SimpleNamespace()]))


@dataclass(frozen=True)
class Work:
    """Hold the operations of a stage, 10^15.

    Attributes:
        shared: What the GPUs share.
        repeated: What each of them does.
        most: Most GPUs that the stage can use.
    """

    shared: float
    repeated: float = 0.0
    most: int = BATCH

    def hours(self, gpus: int, tflops: float) -> float:
        """Divide by what some GPUs reach, 10^12 operations a second."""
        each = self.shared / min(gpus, self.most) + self.repeated
        return each * 1e3 / tflops / 3600


def stage_work(counts: Counts, data: str) -> dict[str, Work]:
    """Add up the operations of each stage.

    Args:
        counts (Counts): Of one forward pass each.
        data (str): Key of ``DATA_SETS``.

    Returns:
        dict[str, Work]: By stage.
    """
    train, val, prompts, epochs, deeplab, former = DATA_SETS[data]
    masks = CROPS * counts.sam_encoder + POINTS * counts.sam_point
    # Two sets of prompts, forward and back to the context, in each process
    updates = epochs * (train // BATCH)
    texts = updates * 2 * prompts * 2 * counts.clip_text
    # The last of CLIP's 12 blocks forward and back for each class, twice
    block = counts.clip_crop / 12
    images = updates * BATCH * (counts.clip_crop + 2 * 2 * PAIRS * block)
    photo = counts.clip_photo * (1 + 2 * PAIRS / 12)
    augmented = 2 * sum(scale**2 for scale in SCALES)
    deeplab_train = deeplab * BATCH * 3 * counts.deeplab
    deeplab_test = val * augmented * counts.deeplab_photo
    former_train = former * FORMER_BATCH * 3 * counts.mask2former
    former_test = val * counts.mask2former_photo
    return {
        'masks of train': Work(train * masks / 1e6),
        'masks of val': Work(val * masks / 1e6),
        'prompts': Work(images / 1e6, texts / 1e6),
        'seeds': Work(train * photo / 1e6),
        'DeepLabV3+, training': Work(deeplab_train / 1e6),
        'DeepLabV3+, test, 6 scales': Work(deeplab_test / 1e6),
        'Mask2Former, training': Work(former_train / 1e6, most=FORMER_BATCH),
        'Mask2Former, test': Work(former_test / 1e6),
    }


def main(argv: list[str] | None = None) -> int:
    """Count, and print both tables."""
    args = parse_args(argv)
    # Print what one forward pass takes
    counts = count_models()
    print('10^9 operations of a forward pass')
    for name, number in vars(counts).items():
        print(f'| {name} | {number:,.1f} |')
    # Print the hours of each stage
    for data in DATA_SETS:
        print(f'\n{data}: 10^15 operations; hours on {args.gpus} GPUs')
        for stage, work in stage_work(counts, data).items():
            hours = [work.hours(gpus, args.tflops) for gpus in args.gpus]
            cells = ' | '.join(f'{number:.1f}' for number in hours)
            print(
                f'| {stage} | {work.shared + work.repeated:,.0f} | {cells} |'
            )
    return 0


def run() -> None:
    """Run the command; what the user can mend is one line."""
    parse_args()  # --help and slips are answered before torch is imported
    from mmfmwsss.apis import run_reporting_user_errors

    run_reporting_user_errors(main)


if __name__ == '__main__':
    run()
