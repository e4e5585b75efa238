# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Train the photo CLIP on photos without labels, with a classifier as teacher.

    python tools/photo_clip/train.py FOLDER_OF_PHOTOS...

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


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('folders', nargs='+', type=Path, help='of photos')
    for name, value in asdict(Settings()).items():
        parser.add_argument(
            f'--{name.replace("_", "-")}',
            type=type(value),
            default=value,
            help=f'default: {value}',
        )
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument(
        '--cache',
        type=Path,
        default=Path('work_dirs/photo_clip'),
        help='folder for the features, 180 KB a photo',
    )
    parser.add_argument(
        '--out', type=Path, default=Path('work_dirs/photo_clip/photo_clip')
    )
    parser.add_argument('--stem-checkpoint', help='of EfficientNet-Lite2')
    parser.add_argument(
        '--init', type=Path, help='weights of an earlier run to start from'
    )
    return parser.parse_args()


def record_of(weights: Path | None) -> dict[str, Any] | None:
    """Read how the weights that training started from came about."""
    if weights is None:
        return None
    record = json.loads(weights.with_suffix('.json').read_text())
    return {k: v for k, v in record.items() if k != 'names'}


def main() -> int:
    """Train and write weights and record."""
    args = parse_args()
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
