# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Train the photo CLIP on photos without labels, with a classifier as teacher.

EfficientNet-Lite2 tells of each photo, and of each place in it, which of
ImageNet's names fit; the CLIP's blocks, text tower and projections learn to
say the same, to show it by Softmax-GradCAM where the classifier's own maps
show it, and to attend to what looks alike. Writes the fp16 weights of all but
the classifier, and a JSON record with data, settings, time and the names.
"""

import argparse
import json
import platform
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

SETTINGS = {  # a setting, its default, what it is
    'steps': (3000, 'of the optimiser'),
    'batch': (64, 'photos a step'),
    'lr': (1e-3, 'highest learning rate of the one-cycle schedule'),
    'seed': (0, 'of everything drawn'),
    'place_weight': (2.0, 'of the loss of places'),
    'cam_weight': (3.0, 'of the loss of CAMs'),
    'attention_weight': (0.5, 'of the loss of attention'),
    'temperature': (0.1, 'of the likeness that attention learns'),
    'other_names': (64, "names a step beyond the photos' captions"),
    'places': (12, 'places of a photo that its loss reads'),
    'maps': (24, 'photos a step whose CAMs and attention are compared'),
    'drop_residual': (0.5, 'share of photos without the last residual path'),
    'pooled_share': (0.5, 'share of steps on whole photos at half the size'),
    'window_share': (0.4, 'share of steps on windows'),
    'window': (9, 'side of a window, tokens'),
}
EXAMPLES = r"""examples:
  python tools/photo_clip/train.py FOLDER_OF_PHOTOS
  python tools/photo_clip/train.py PHOTOS MORE_PHOTOS --steps 300 --threads 2
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('folders', nargs='+', type=Path, help='of photos')
    for name, (default, text) in SETTINGS.items():
        parser.add_argument(
            f'--{name.replace("_", "-")}',
            type=type(default),
            default=default,
            help=f'{text} (default: %(default)s)',
        )
    parser.add_argument(
        '--threads',
        type=int,
        default=1,
        help='of torch (default: %(default)s)',
    )
    parser.add_argument(
        '--cache',
        type=Path,
        default=Path('work_dirs/photo_clip'),
        help='folder for the features, 180 KB a photo (default: %(default)s)',
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('work_dirs/photo_clip/photo_clip'),
        help='weights and record, without suffix (default: %(default)s)',
    )
    parser.add_argument('--stem-checkpoint', help='of EfficientNet-Lite2')
    parser.add_argument(
        '--init', type=Path, help='weights of an earlier run to start from'
    )
    return parser.parse_args()


if __name__ == '__main__':
    parse_args()  # --help and slips are answered before torch is imported

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from mmfmwsss.apis import run_reporting_user_errors
from mmfmwsss.models.clip.efficientnet_stem import read_efficientnet_state
from mmfmwsss.models.clip.photo_clip import PHOTO_CLIP_ARCH
from mmfmwsss.utils import atomic_path, resolve_path, sha256_of
from mmfmwsss.workshop.photo_clip import (
    PhotoFeatures,
    Settings,
    Teacher,
    Trainer,
    build_student,
    build_vocabulary,
    draw_batches,
    find_photos,
    train,
)
from mmfmwsss.workshop.photo_clip.teacher import SIDE


def record_of(weights: Path | None) -> dict[str, Any] | None:
    """Read how the weights that training started from came about."""
    if weights is None:
        return None
    record = json.loads(weights.with_suffix('.json').read_text())
    return {k: v for k, v in record.items() if k != 'names'}


def main() -> int:
    """Train and write weights and record."""
    args = parse_args()
    # Read the settings, and seed all generators
    settings = Settings(**{k: vars(args)[k] for k in asdict(Settings())})
    torch.manual_seed(settings.seed)
    torch.set_num_threads(args.threads)
    rng = np.random.default_rng(settings.seed)
    # Ask the teacher.
    photos = find_photos(args.folders)
    teacher = Teacher(read_efficientnet_state(args.stem_checkpoint))
    known = PhotoFeatures.compute(photos, teacher, args.cache)
    # Train.
    vocabulary = build_vocabulary()
    student = build_student(known.features)
    if args.init is not None:
        student.load_shipped(
            load_file(resolve_path(args.init, 'Correct --init.'))
        )
    trainer = Trainer(student, teacher, vocabulary, settings, rng)
    started = time.time()
    losses = train(trainer, draw_batches(known, teacher, settings, rng))
    seconds = round(time.time() - started)
    # Write.
    weights = args.out.with_suffix('.safetensors')
    with atomic_path(weights) as path:
        save_file(student.shipped_state(), path)
    record = dict(
        script='tools/photo_clip/train.py',
        arch=PHOTO_CLIP_ARCH,
        photos={f.name: len(find_photos([f])) for f in args.folders},
        pixels=SIDE,
        settings=asdict(settings),
        seconds=seconds,
        threads=args.threads,
        torch=torch.__version__,
        python=platform.python_version(),
        losses_of_the_last_100_steps=losses,
        sha256=sha256_of(weights),
        init=record_of(args.init),
        names=vocabulary.names,
    )
    with atomic_path(args.out.with_suffix('.json')) as path:
        path.write_text(json.dumps(record, indent=2) + '\n')
    print(f'{weights} and its record, after {seconds} s of training')
    return 0


if __name__ == '__main__':
    run_reporting_user_errors(main)
