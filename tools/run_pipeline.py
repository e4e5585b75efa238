# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Run the whole method on PartWorld, from image-level labels to a segmentor.

Draws the data set, then runs the stages of configs/fmwsss/partworld_*.py, each
through tools/train.py or tools/test.py. Stages that are done are skipped.
Writes summary.json and a picture sheet, and prints one table.
"""

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

EXAMPLES = r"""examples:
  python tools/run_pipeline.py
  python tools/run_pipeline.py --fresh --out work_dirs/second
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('work_dirs/partworld'),
        help='folder of the results (default: %(default)s)',
    )
    parser.add_argument(
        '--fresh',
        action='store_true',
        help='forget earlier results, the data set excepted',
    )
    return parser.parse_args()


if __name__ == '__main__':
    parse_args()  # --help and slips are answered before torch is imported

from mmfmwsss.apis import run_command, run_reporting_user_errors
from mmfmwsss.utils import UserInputError, locked_folder
from mmfmwsss.workshop.stages import Stage, StageRunner

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = Path('configs/fmwsss')


def _test(config: str) -> tuple[str, ...]:
    return ('tools/test.py', str(CONFIGS / f'partworld_{config}.py'))


def _train(config: str) -> tuple[str, ...]:
    return ('tools/train.py', str(CONFIGS / f'partworld_{config}.py'))


STAGES = (
    Stage(
        'dataset',
        'draw PartWorld',
        ('tools/partworld/make_dataset.py', 'data/partworld'),
        outputs=('data/partworld',),
    ),
    Stage('sam_masks', 'masks of SAM', _test('sam_masks'), needs=('dataset',)),
    Stage(
        'prompt',
        'learn the prompts',
        _train('prompt'),
        needs=('sam_masks',),
    ),
    Stage(
        'seed',
        'seeds from the learnt prompts',
        _test('seed'),
        needs=('prompt',),
    ),
    Stage(
        'manual_prompt',
        'baseline: seeds from a manual prompt',
        _test('manual_prompt'),
        needs=('sam_masks',),
    ),
    Stage(
        'deeplabv3plus',
        'train DeepLabV3+ on the seeds',
        _train('deeplabv3plus'),
        needs=('seed',),
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
        needs=('deeplabv3plus',),
    ),
    Stage(
        'deeplabv3plus_sams',
        'test DeepLabV3+ with SAMS',
        _test('deeplabv3plus_sams'),
        needs=('deeplabv3plus',),
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


def run_stages(out: Path) -> dict[str, float]:
    """Run what is not done; return the seconds of every stage."""
    runner = StageRunner(ROOT, out)
    for number, stage in enumerate(STAGES, start=1):
        label = f'[{number}/{len(STAGES)}] {stage.title}'
        print(f'{label}: python {" ".join(stage.command)}', flush=True)
        ran = runner.run(stage)
        seconds = runner.records[stage.name].seconds
        print(f'    {seconds:.0f} s' if ran else '    done before', flush=True)
    return {name: r.seconds for name, r in runner.records.items()}


def read_summary(out: Path, seconds: dict[str, float]) -> dict[str, object]:
    """Collect the figures that the stages wrote."""
    # Read the figure of each row
    summary: dict[str, object] = {}
    for key, stage, metric, _, _ in ROWS:
        record = json.loads((out / stage / 'metrics.json').read_text())
        summary[key] = round(float(record['metrics'][metric]), 2)
    # Add times and numbers of images
    summary['seconds'] = {k: round(v, 1) for k, v in seconds.items()}
    lists = ROOT / 'data/partworld/ImageSets'
    summary['images'] = {
        split: len((lists / f'{split}.txt').read_text().split())
        for split in ('train', 'val')
    }
    return summary


def print_table(summary: dict[str, object]) -> None:
    """Print one table of everything."""
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


def forget(out: Path) -> None:
    """Delete earlier results; hidden files stay, the lock among them."""
    for path in out.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif not path.name.startswith('.'):
            path.unlink()


def draw_report(out: Path) -> None:
    """Draw the picture sheet and the report.

    Raises:
        UserInputError: If one of them fails.
    """
    # Draw pictures first, then the report
    report = ('tools/make_report.py', str(out), '--images', '24', '--out')
    for command in (
        ('tools/partworld/picture_sheet.py',),
        (*report, str(out / 'report.html')),
    ):
        # Run the tool with our package, whatever is installed
        environment = dict(os.environ, PYTHONPATH=str(ROOT))
        code, _ = run_command([sys.executable, *command], ROOT, environment)
        if code:
            raise UserInputError(
                f'`python {" ".join(command)}` failed with exit code {code}; '
                'see above.'
            )


def main() -> int:
    """Run all stages."""
    args = parse_args()
    # Run the stages, alone in the folder
    out = ROOT / args.out
    with locked_folder(out):
        if args.fresh:
            forget(out)
        # Collect, write and draw
        summary = read_summary(out, run_stages(out))
        (out / 'summary.json').write_text(json.dumps(summary, indent=2) + '\n')
        draw_report(out)
    # Print the scores, and say where everything is
    print_table(summary)
    for name in ('summary.json', 'pictures.png', 'report.html'):
        print(out / name)
    return 0


if __name__ == '__main__':
    run_reporting_user_errors(main)
