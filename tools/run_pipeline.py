# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Run the whole method on a data set, from image-level labels to a network.

The stages are commands of tools/train.py and tools/test.py with the configs of
configs/fmwsss; --dry-run prints them. A stage whose result is there and
current is skipped, and what was stopped goes on. At the end there are
summary.json, report.html and one table: seconds and mIoU of each stage, beside
what the paper, or we, measured.

Data sets: partworld (drawn, needs nothing), animals and voc (VOC 2012, in
$VOC12_ROOT), voc_tiny (the same with the tiny models, to try the commands),
voc_official (the released code's two runs), coco (COCO 2014, in $COCO14_ROOT),
custom (your photos, see docs/your_own_photos.md).
"""

import argparse
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmfmwsss.workshop.stages import Stage, StageRunner

EXAMPLES = r"""examples:
  python tools/run_pipeline.py
  python tools/run_pipeline.py voc --network mask2former --gpus 8
  python tools/run_pipeline.py animals --images 60 --schedule 0.5
  python tools/run_pipeline.py coco --from seed --dry-run
"""

DATA_SETS = (
    'partworld', 'animals', 'voc', 'voc_tiny', 'voc_official', 'coco',
    'custom',
)  # fmt: skip
ROOT = Path(__file__).resolve().parents[1]


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'dataset',
        nargs='?',
        choices=DATA_SETS,
        default='partworld',
        help='data set (default: %(default)s)',
    )
    parser.add_argument(
        '--network',
        choices=('deeplabv3plus', 'mask2former'),
        default='deeplabv3plus',
        help='network to train on the seeds (default: %(default)s)',
    )
    add_selection_arguments(parser)
    parser.add_argument(
        '--gpus',
        type=positive(int),
        default=1,
        metavar='N',
        help='processes, one a GPU, by tools/dist_train.sh and dist_test.sh; '
        'the batch in all stays that of the config (default: %(default)s)',
    )
    parser.add_argument(
        '--images',
        type=positive(int),
        metavar='N',
        help='a small run: the first N images to learn from, and the first N '
        'to test on, in a folder of their own',
    )
    parser.add_argument(
        '--schedule',
        type=positive(float),
        default=1.0,
        metavar='SHARE',
        help='share of the iterations or epochs of each training, e.g. 0.1 '
        '(default: %(default)s); 2 at least, if the training has as many',
    )
    parser.add_argument(
        '--out',
        help='folder of the results (default: that of the configs, such as '
        'work_dirs/partworld)',
    )
    return parser.parse_args(argv)


def add_selection_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that choose stages."""
    parser.add_argument(
        '--from',
        dest='first',
        metavar='STAGE',
        help='begin with this stage; what the stages before left is taken as '
        'it is',
    )
    parser.add_argument(
        '--until', dest='last', metavar='STAGE', help='end with this stage'
    )
    parser.add_argument(
        '--only',
        nargs='+',
        action='extend',
        default=[],
        metavar='STAGE',
        help='run these stages and no others',
    )
    parser.add_argument(
        '--dry-run',
        action='store_true',
        help='print the commands, which can be pasted, and run none',
    )
    parser.add_argument(
        '--fresh',
        action='store_true',
        help='forget what the stages left that are to run, data sets excepted',
    )


def positive(kind: type) -> 'type':
    """Make a reader of positive numbers for the command line."""

    def read(text: str) -> float:
        number = kind(text)
        if not 0 < number < float('inf'):
            raise ValueError
        return number

    read.__name__ = f'positive {kind.__name__}'
    return read  # type: ignore[return-value]


def print_commands(stages: 'Sequence[Stage]', every: 'list[Stage]') -> None:
    """Print what would run, as lines that a shell takes."""
    from mmfmwsss.utils.config_variables import variables_of
    from mmfmwsss.workshop.stages.stage import read_stage_configs

    # Go where the commands run, with the variables that they read
    print(f'cd {shlex.quote(str(ROOT))}\nexport PYTHONPATH=$PWD')
    variables: dict[str, str] = {}
    for stage in stages:
        for config in read_stage_configs(ROOT, stage):
            found = variables_of(config.text).items()
            variables |= {k: v for k, v in found if k not in stage.environment}
    for name, value in sorted(variables.items()):
        print(f'export {name}={shlex.quote(value)}')
    # Write a line a stage
    for stage in stages:
        number = every.index(stage) + 1
        print(f'# {number}/{len(every)} {stage.name}: {stage.title}')
        print(stage.shell_line())


def run_stages(
    runner: 'StageRunner',
    stages: 'Sequence[Stage]',
    every: 'list[Stage]',
    fresh: bool,
) -> list[str]:
    """Run what is chosen and not done; return the names of what ran.

    Raises:
        UserInputError: If a stage fails.
    """
    from mmfmwsss.utils import UserInputError

    # Take what stages left that are not to run, where others read it
    chosen = {stage.name for stage in stages}
    read = {name for stage in stages for name in stage.needs}
    for stage in every:
        if stage.name in read - chosen:
            runner.adopt(stage)
    # Run the others, each if it is not done
    ran = []
    for stage in stages:
        if fresh and stage.name != 'dataset':
            runner.forget(stage)
        number = f'[{every.index(stage) + 1}/{len(every)}]'
        print(f'{number} {stage.title}: {stage.shell_line()}', flush=True)
        try:
            started = runner.run(stage)
        except UserInputError as error:
            raise UserInputError(
                f'{error} Mend that and give the same command again: it goes '
                f'on with this stage, `{stage.name}`.'
            ) from error
        seconds = f'{runner.records[stage.name].seconds:.0f} s'
        print(f'    {seconds}' if started else '    skipped: done before')
        ran += [stage.name] if started else []
    return ran


def main(argv: list[str] | None = None) -> int:
    """Run the chosen stages."""
    args = parse_args(argv)
    from mmfmwsss.utils import locked_folder
    from mmfmwsss.utils.shipped_files import require_checkout
    from mmfmwsss.workshop.stages import StageRunner
    from mmfmwsss.workshop.stages.pipeline_stages import (
        RunSettings,
        find_missing_data,
        list_stages,
        select_stages,
    )
    from mmfmwsss.workshop.stages.pipelines import find_pipeline
    from mmfmwsss.workshop.stages.summary import (
        format_summary,
        read_scores,
        summary_record,
    )

    # Data and results go into the checkout
    require_checkout(ROOT)
    # List the stages, and choose among them
    pipeline = find_pipeline(args.dataset, ROOT, args.network)
    settings = RunSettings(args.out, args.images, args.schedule, args.gpus)
    every = list_stages(pipeline, ROOT, settings)
    stages = select_stages(every, args.first, args.last, args.only)
    if args.dry_run:
        print_commands(stages, every)
        return 0
    # Look for the data before hours are spent
    for path in find_missing_data(pipeline, ROOT, stages):
        print(f'note: {path} is not there; a stage may miss it')
    # Run them, alone in the folder
    out = ROOT / settings.folder(pipeline)
    runner = StageRunner(ROOT, out)
    with locked_folder(out):
        ran = run_stages(runner, stages, every, args.fresh)
        # Write and print the scores
        rows = read_scores(pipeline.scores, runner, every)
        record = summary_record(rows, runner)
        (out / 'summary.json').write_text(json.dumps(record, indent=2) + '\n')
    comparable = not settings.is_small
    table = format_summary(
        pipeline.title, rows, runner, every, ran, comparable
    )
    print(f'\n{table}')
    # Say where everything is
    for name in ('summary.json', 'pictures.png', 'report.html'):
        if (out / name).is_file():
            print(out / name)
    return 0


def run() -> None:
    """Run the command; what the user can mend is one line."""
    parse_args()  # --help and slips are answered before torch is imported
    from mmfmwsss.apis import run_reporting_user_errors

    run_reporting_user_errors(main)


if __name__ == '__main__':
    run()
