# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Train the tiny CLIP of PartWorld: open_clip's model, captions of pictures.

The loss is CLIP's, with one change: as captions are few in a small world, a
caption that is true of several pictures of a batch counts as a match of each
(as in UniCL, https://arxiv.org/abs/2204.03610). Writes the fp16 weights and a
JSON record with the settings, the time and the scores beside them.
"""

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

EXAMPLES = r"""examples:
  python tools/partworld/train_clip.py --out work_dirs/tiny_clip
  python tools/partworld/train_clip.py --score WEIGHTS
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    # The name of an option, its default, what it is. CLIP's pictures are
    # more diverse than a data set's, hence the low share of homes.
    for name, default, text in (
        ('steps', 900, 'of training'),
        ('batch', 96, 'pictures in a step'),
        ('lr', 1.5e-3, 'greatest learning rate'),
        ('pool', 16000, 'pictures to draw'),
        ('seed', 0, 'of weights and captions'),
        ('threads', 2, 'of torch'),
        (
            'home-share',
            0.3,
            'share of pictures on a background that their object favours',
        ),
        (
            'place-share',
            0.45,
            'share of captions that name the background beside objects',
        ),
        (
            'empty-share',
            0.08,
            'share of the other captions that name the background only',
        ),
        ('landscape-share', 0.0, 'share of pictures without an object'),
    ):
        parser.add_argument(
            f'--{name}',
            type=type(default),
            default=default,
            help=f'{text} (default: %(default)s)',
        )
    parser.add_argument('--init', type=Path, help='weights to start from')
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('mmfmwsss/assets/tiny_clip'),
        help='weights and record, without suffix (default: %(default)s)',
    )
    parser.add_argument(
        '--score', type=Path, help='score these weights on val, do not train'
    )
    return parser.parse_args()


if __name__ == '__main__':
    parse_args()  # --help and slips are answered before torch is imported

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from sklearn.metrics import label_ranking_average_precision_score
from torch import Tensor, nn

from mmfmwsss.apis import run_reporting_user_errors
from mmfmwsss.utils import resolve_path
from mmfmwsss.workshop import partworld

CLIP_CONFIG: dict[str, Any] = dict(
    embed_dim=64,
    vision_cfg=dict(
        layers=2, width=128, head_width=32, patch_size=8, image_size=112,
        pool_type='avg', patch_dropout=0.5,
    ),
    text_cfg=dict(
        context_length=77, vocab_size=49408, width=64, heads=4, layers=3
    ),
)  # fmt: skip
MEAN = (0.48145466, 0.4578275, 0.40821073)  # CLIP's, of RGB in 0..1
STD = (0.26862954, 0.26130258, 0.27577711)
TRAIN_WORLD, HELD_OUT_WORLD = 1, 3  # seeds no other part of PartWorld uses
VAL_WORLD = 2012  # of the data set

PREFIXES = (
    'a photo of {}', 'a picture of {}', 'an image of {}', 'a drawing of {}',
    '{}', '{} in a picture', 'there is {} here', 'we see {}',
    'a small picture that shows {}', '{}, drawn by a program',
    'a photo of a scene with {}', 'a rendering of {}',
    'this is one of many pictures that a program has drawn and it shows {}',
    '{} and nothing else that is worth a word in a caption of a picture',
    'among all of the things that can be seen in the picture there is {}',
)  # fmt: skip
PLACES = ('{} with {} behind', '{}, {}', '{} near the {}', '{} and the {}')


def caption_of(
    rng: np.random.Generator,
    classes: list[int],
    background: str,
    place_share: float,
    empty_share: float,
) -> tuple[str, frozenset[int], str]:
    """Write a caption of a subset of the objects, seldom of the place.

    Returns the text, the classes it names and the background it names.
    """
    # Describe a picture without an object
    if not classes:
        return caption_of_landscape(rng, background)
    # Name some of the objects
    count = int(rng.integers(1, len(classes) + 1))
    named = rng.permutation(classes)[:count]
    names = [partworld.CLASSES[c].name for c in named]
    article = rng.choice(['a', 'a', 'the', ''])
    text = ' and '.join(f'{article} {name}'.strip() for name in names)
    # Name the background beside them, or in their place
    place = background if rng.uniform() < place_share else ''
    if place:
        text = str(rng.choice(PLACES)).format(text, place)
    if rng.uniform() < empty_share and not place:
        return caption_of_landscape(rng, background)
    # Wrap the text as CLIP's captions are
    text = str(rng.choice(PREFIXES)).format(text)
    if rng.uniform() < 0.7:
        text += '.'
    return text, frozenset(int(c) for c in named), place


def caption_of_landscape(
    rng: np.random.Generator, background: str
) -> tuple[str, frozenset[int], str]:
    """Write a caption of the background, as :func:`caption_of` gives it."""
    text = str(rng.choice(PREFIXES)).format(f'the {background}')
    return f'{text}.', frozenset(), background


def match_matrix(
    scenes: list[tuple[frozenset[int], str]],
    captions: list[tuple[frozenset[int], str]],
) -> Tensor:
    """Mark where caption j is true of picture i with 1, (N, N)."""
    rows = [
        [
            float(named <= seen and place in ('', background))
            for named, place in captions
        ]
        for seen, background in scenes
    ]
    return torch.tensor(rows)


def contrastive_loss(logits: Tensor, match: Tensor) -> Tensor:
    """Compute CLIP's loss in both directions, several matches a row."""
    to_text = -(F.log_softmax(logits, 1) * match / match.sum(1, True)).sum(1)
    to_image = -(F.log_softmax(logits, 0) * match / match.sum(0, True)).sum(0)
    return 0.5 * (to_text.mean() + to_image.mean())


class ScenePool:
    """Pictures of one world, drawn once and kept in memory."""

    def __init__(
        self,
        world: int,
        count: int,
        home_share: float,
        first: int = 0,
        landscape_share: float = 0.0,
    ) -> None:
        # Make room for all pictures
        self.images = np.zeros((count, 112, 112, 3), np.uint8)
        self.labels: list[list[int]] = []
        self.backgrounds: list[str] = []
        size = (112, 112)
        # Draw landscapes first, then scenes with objects
        landscapes = round(landscape_share * count)
        for index in range(count):
            if index < landscapes:
                scene = partworld.render_landscape(world, index, size)
            else:
                scene = partworld.render_scene(
                    world, first + index, size=size, home_share=home_share
                )
            self.images[index] = scene.image
            self.labels.append(scene.visible_classes())
            self.backgrounds.append(scene.background)

    def tensor(self, indices: np.ndarray, flips: np.ndarray) -> Tensor:
        """Normalise pictures, (N, 3, 112, 112)."""
        images = self.images[indices]
        images[flips] = images[flips, :, ::-1]
        batch = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
        mean = torch.tensor(MEAN).view(3, 1, 1)
        return (batch - mean) / torch.tensor(STD).view(3, 1, 1)

    def multi_hot(self) -> np.ndarray:
        """Return labels, (N, C)."""
        hot = np.zeros((len(self.labels), len(partworld.CLASSES)), int)
        for row, classes in zip(hot, self.labels, strict=True):
            row[classes] = 1
        return hot


@torch.no_grad()
def ranking_precision(model: open_clip.CLIP, pool: ScenePool) -> float:
    """Compute the label-ranking precision of zero-shot scores on a pool."""
    # Encode the class names
    tokenizer = open_clip.get_tokenizer('ViT-B-16')
    names = [f'a photo of a {c.name}.' for c in partworld.CLASSES]
    text = F.normalize(model.encode_text(tokenizer(names)), dim=1)
    # Encode the pictures
    count = len(pool.labels)
    images = pool.tensor(np.arange(count), np.zeros(count, bool))
    features = torch.cat([model.encode_image(b) for b in images.split(100)])
    # Rank the classes by cosine
    scores = F.normalize(features, dim=1) @ text.T
    return float(
        label_ranking_average_precision_score(pool.multi_hot(), scores.numpy())
    )


def score_on_val(weights: Path) -> None:
    """Print the ranking precision on the pictures of PartWorld's val."""
    model = open_clip.CLIP(**CLIP_CONFIG)
    model.load_state_dict(load_file(weights))
    val = ScenePool(VAL_WORLD, 200, home_share=0.8, first=1000)
    score = ranking_precision(model.eval(), val)
    print(json.dumps(dict(label_ranking_average_precision_val=score)))


def train(args: argparse.Namespace) -> None:
    """Train, save and report."""
    # Seed all generators
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    rng = np.random.default_rng(args.seed)
    started = time.time()
    # Draw the pictures
    pool = ScenePool(
        TRAIN_WORLD,
        args.pool,
        home_share=args.home_share,
        landscape_share=args.landscape_share,
    )
    held_out = ScenePool(HELD_OUT_WORLD, 200, home_share=0.8)
    print(f'{args.pool} pictures drawn in {time.time() - started:.0f} s')

    model = open_clip.CLIP(**CLIP_CONFIG)
    if args.init is not None:
        model.load_state_dict(
            load_file(resolve_path(args.init, 'Correct --init.'))
        )
    tokenizer = open_clip.get_tokenizer('ViT-B-16')
    # Decay matrices, but no gains and biases
    decayed = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    groups: list[dict[str, Any]]
    groups = [dict(params=decayed), dict(params=others, weight_decay=0.0)]
    optimizer = torch.optim.AdamW(
        groups, lr=args.lr, betas=(0.9, 0.98), weight_decay=0.05
    )
    # Warm up, then follow a cosine
    warm_up = min(100, args.steps // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(
            (step + 1) / warm_up,
            0.5 * (1 + math.cos(math.pi * step / args.steps)),
        ),
    )
    for step in range(args.steps):
        # Draw pictures, and a caption of each
        indices = rng.integers(len(pool.labels), size=args.batch)
        images = pool.tensor(indices, rng.uniform(size=args.batch) < 0.5)
        drawn = [
            caption_of(
                rng,
                pool.labels[i],
                pool.backgrounds[i],
                args.place_share,
                args.empty_share,
            )
            for i in indices
        ]
        # Mark all pairs that match, not only the diagonal
        match = match_matrix(
            [
                (frozenset(pool.labels[i]), pool.backgrounds[i])
                for i in indices
            ],
            [(named, place) for _, named, place in drawn],
        )
        # Encode both in half precision
        tokens = tokenizer([text for text, _, _ in drawn])
        with torch.autocast('cpu', dtype=torch.bfloat16):
            image_features = model.encode_image(images)
            text_features = model.encode_text(tokens)
        # Compare them in full precision
        logits = (
            model.logit_scale.exp()
            * F.normalize(image_features.float(), dim=1)
            @ F.normalize(text_features.float(), dim=1).T
        )
        loss = contrastive_loss(logits, match)
        # Step, and keep the scale in CLIP's range
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        model.logit_scale.data.clamp_(max=math.log(100))
        # Score on held-out pictures, and save
        if (step + 1) % 100 == 0 or step + 1 == args.steps:
            model.eval()
            score = ranking_precision(model, held_out)
            model.train()
            seconds = time.time() - started
            print(
                f'step {step + 1}/{args.steps}  loss {loss.item():.3f}  '
                f'scale {model.logit_scale.exp().item():.1f}  '
                f'LRAP held out {score:.3f}  {seconds:.0f} s',
                flush=True,
            )
            save(model, args, step + 1, score, seconds)


def save(
    model: nn.Module,
    args: argparse.Namespace,
    steps: int,
    score: float,
    seconds: float,
) -> None:
    """Write weights (fp16) and the record of how they came about."""
    # Save half floats, without what the model computes itself
    weights = {
        name: value.detach().to(torch.float16).contiguous()
        for name, value in model.state_dict().items()
        if name != 'attn_mask'
    }
    args.out.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, args.out.with_suffix('.safetensors'))
    # Record how the weights were made
    record = dict(
        script='tools/partworld/train_clip.py',
        config=CLIP_CONFIG,
        steps=steps,
        scheduled_steps=args.steps,
        batch=args.batch,
        lr=args.lr,
        pictures=args.pool,
        home_share=args.home_share,
        place_share=args.place_share,
        empty_share=args.empty_share,
        landscape_share=args.landscape_share,
        seed=args.seed,
        init=_record_of(args.init),
        seconds=round(seconds),
        threads=args.threads,
        torch=torch.__version__,
        label_ranking_average_precision_held_out=round(score, 4),
    )
    args.out.with_suffix('.json').write_text(json.dumps(record, indent=2))


def _record_of(weights: Path | None) -> dict[str, Any] | None:
    """Read how the weights that training started from were made."""
    if weights is None:
        return None
    return json.loads(weights.with_suffix('.json').read_text())


def main() -> int:
    """Train, or score weights that are there."""
    args = parse_args()
    if args.score is None:
        train(args)
    else:
        score_on_val(resolve_path(args.score, 'Correct --score.'))
    return 0


if __name__ == '__main__':
    run_reporting_user_errors(main)
