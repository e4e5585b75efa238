# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Run the whole method on PartWorld, from image-level labels to a segmentor.

    python tools/run_pipeline.py

Draws the data set, then runs the stages of configs/fmwsss/partworld_*.py, each
through tools/train.py or tools/test.py. Stages that are done are skipped.
Writes summary.json and a picture sheet, and prints one table.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = Path('configs/fmwsss')


@dataclass(frozen=True)
class Stage:
    """One run of a config.

    Attributes:
        name: Key in the summary's ``seconds``, and folder of its metrics.
        title: What it does.
        command: Arguments after ``python``.
    """

    name: str
    title: str
    command: tuple[str, ...]


def _test(config: str) -> tuple[str, ...]:
    return ('tools/test.py', str(CONFIGS / f'partworld_{config}.py'))


def _train(config: str) -> tuple[str, ...]:
    return ('tools/train.py', str(CONFIGS / f'partworld_{config}.py'))


STAGES = (
    Stage(
        'dataset',
        'draw PartWorld',
        ('tools/partworld/make_dataset.py', 'data/partworld'),
    ),
    Stage('sam_masks', 'masks of SAM', _test('sam_masks')),
    Stage('prompt', 'learn the prompts', _train('prompt')),
    Stage('seed', 'seeds from the learnt prompts', _test('seed')),
    Stage(
        'manual_prompt',
        'baseline: seeds from a manual prompt',
        _test('manual_prompt'),
    ),
    Stage(
        'deeplabv3plus',
        'train DeepLabV3+ on the seeds',
        _train('deeplabv3plus'),
    ),
    Stage(
        'deeplabv3plus_test',
        'test DeepLabV3+',
        (
            *_test('deeplabv3plus'),
            'work_dirs/partworld/deeplabv3plus/iter_600.pth',
            '--work-dir',
            'work_dirs/partworld/deeplabv3plus_test',
        ),
    ),
    Stage(
        'deeplabv3plus_sams',
        'test DeepLabV3+ with SAMS',
        _test('deeplabv3plus_sams'),
    ),
)

# Row of the table: key in the summary, stage, key in its metrics, text.
ROWS = (
    ('cam', 'seed', 'cam/mIoU', 'train', 'CAM, argmax'),
    ('cam_caa', 'seed', 'cam_caa/mIoU', 'train', 'CAM + CAA, argmax'),
    (
        'baseline_manual_prompt', 'manual_prompt', 'fine_seed/mIoU', 'train',
        'manual prompt, fine-seed route',
    ),
    (
        'coarse_seed', 'seed', 'coarse_seed/mIoU', 'train',
        'coarse seed (classification prompts)',
    ),
    (
        'fine_seed', 'seed', 'fine_seed/mIoU', 'train',
        'fine seed (segmentation prompts)',
    ),
    (
        'fine_seed_caa', 'seed', 'fine_seed_caa/mIoU', 'train',
        'fine seed with CAA before SAMS',
    ),
    (
        'segmentor', 'deeplabv3plus_test', 'mIoU', 'val',
        'DeepLabV3+ trained on the fine seeds',
    ),
    (
        'segmentor_sams', 'deeplabv3plus_sams', 'mIoU', 'val',
        'DeepLabV3+ with SAMS post-processing',
    ),
)  # fmt: skip


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument(
        '--out', type=Path, default=Path('work_dirs/partworld')
    )
    parser.add_argument(
        '--fresh',
        action='store_true',
        help='forget earlier results, the data set excepted',
    )
    return parser.parse_args()


def run_stage(stage: Stage, out: Path, number: int) -> float:
    """Run a stage unless it is done; its wall-clock seconds."""
    record = out / 'stages' / f'{stage.name}.json'
    label = f'[{number}/{len(STAGES)}] {stage.title}'
    if record.exists():
        print(f'{label}: done before', flush=True)
        return float(json.loads(record.read_text())['seconds'])
    print(f'{label}: python {" ".join(stage.command)}', flush=True)
    log = out / 'logs' / f'{stage.name}.log'
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.time()
    environment = dict(os.environ)
    environment['PYTHONPATH'] = os.pathsep.join(
        filter(None, [str(ROOT), environment.get('PYTHONPATH')])
    )
    with log.open('w') as file:
        # The log goes to a file, the progress bar to the terminal.
        code = subprocess.run(
            [sys.executable, *stage.command],
            cwd=ROOT, env=environment, stdout=file, check=False,
        ).returncode  # fmt: skip
    seconds = time.time() - started
    if code:
        tail = log.read_text().splitlines()[-15:]
        print('\n'.join(tail), file=sys.stderr)
        sys.exit(f'{label} failed with exit code {code}; see {log}')
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(dict(seconds=round(seconds, 1))))
    print(f'    {seconds:.0f} s', flush=True)
    return seconds


def read_summary(out: Path, seconds: dict[str, float]) -> dict[str, object]:
    """Collect the figures that the stages wrote."""
    summary: dict[str, object] = {}
    for key, stage, metric, _, _ in ROWS:
        record = json.loads((out / stage / 'metrics.json').read_text())
        summary[key] = round(float(record['metrics'][metric]), 2)
    summary['seconds'] = {k: round(v, 1) for k, v in seconds.items()}
    lists = ROOT / 'data/partworld/ImageSets'
    summary['images'] = {
        split: len((lists / f'{split}.txt').read_text().split())
        for split in ('train', 'val')
    }
    return summary


def print_table(summary: dict[str, object]) -> None:
    """One table of everything."""
    images = summary['images']
    seconds = summary['seconds']
    assert isinstance(images, dict)
    assert isinstance(seconds, dict)
    print('\nPartWorld, mIoU in % with background, single scale')
    print(f'{"":42}{"split":>14}{"mIoU":>8}')
    for key, _, _, split, text in ROWS:
        where = f'{split} ({images[split]})'
        print(f'{text:42}{where:>14}{summary[key]:8.1f}')
    print(
        '\nseconds: ' + ', '.join(f'{k} {v:.0f}' for k, v in seconds.items())
    )
    print(f'total {sum(seconds.values()):.0f} s')


def main() -> None:
    """Run all stages."""
    args = parse_args()
    out = ROOT / args.out
    if args.fresh and out.exists():
        shutil.rmtree(out)
    seconds = {
        stage.name: run_stage(stage, out, number)
        for number, stage in enumerate(STAGES, start=1)
    }
    summary = read_summary(out, seconds)
    (out / 'summary.json').write_text(json.dumps(summary, indent=2) + '\n')
    subprocess.run(
        [sys.executable, 'tools/partworld/picture_sheet.py'],
        cwd=ROOT,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        check=True,
    )
    print_table(summary)
    print(f'\n{out / "summary.json"}\n{out / "pictures.png"}')


if __name__ == '__main__':
    main()
