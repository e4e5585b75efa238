# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Run Tables 1 to 5 of the paper and set them beside its figures.

Runs what is missing, each row a config of configs/fmwsss/ablation, and writes
tables.md and tables.html, with Figures 1, 3 and 4 and learning curves of the
first seed. Stopped, it goes on where it was. The embedded
PartWorld needs nothing; VOC-Animals, real photos on a CPU, needs VOC 2012,
mobile_sam.pt and a pip package (see configs/fmwsss/animals_sam_masks.py and
animals_prompt.py); VOC 2012 and COCO 2014 need the data and the weights (see
the README). Ground truth is opened only to score.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

TABLES = (1, 2, 3, 4, 5)
DATASETS = ('animals', 'coco14', 'partworld', 'voc12')
EXAMPLES = r"""examples:
  python tools/reproduce_tables.py
  python tools/reproduce_tables.py --tables 1 2 --seeds 3
  python tools/reproduce_tables.py --dataset voc12
  python tools/reproduce_tables.py --dataset animals
  python tools/reproduce_tables.py --dataset animals --tables 1 4 5 \
      --images 200 --prompt-epochs 12 --mask-dir work_dirs/animals/sam_masks
"""


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--tables',
        nargs='+',
        type=int,
        choices=TABLES,
        default=list(TABLES),
        help='numbers of the tables (default: all)',
    )
    parser.add_argument(
        '--dataset',
        choices=DATASETS,
        default='partworld',
        help='data set of the runs (default: %(default)s)',
    )
    parser.add_argument(
        '--seeds',
        type=int,
        help='runs of what depends on chance (default: 3 for animals, 1 for '
        'the others)',
    )
    parser.add_argument(
        '--first-seed',
        type=int,
        default=0,
        help='to share work among machines, with the data at the same path; '
        'copy the folders of --out together at the end (default: %(default)s)',
    )
    parser.add_argument(
        '--out',
        type=Path,
        help='folder of runs and tables; default: work_dirs/ablation/PREFIX',
    )
    parser.add_argument(
        '--notes',
        type=Path,
        help='Markdown with your remarks, under "## Runs" and "## Table N"',
    )
    parser.add_argument(
        '--figure-images',
        type=int,
        default=12,
        help='most images of Figures 1, 3 and 4; 0 leaves them out '
        '(default: %(default)s)',
    )
    shorter = parser.add_argument_group(
        'shorter runs', 'of VOC-Animals; by default all is taken'
    )
    shorter.add_argument(
        '--images',
        type=int,
        help='photos to learn from, spread evenly over the 800',
    )
    shorter.add_argument(
        '--val-images',
        type=int,
        help='photos to score the networks on, spread evenly over the 160',
    )
    shorter.add_argument(
        '--mask-dir',
        type=Path,
        help="folder of SAM's masks made before; those that it lacks are "
        'added (default: work_dirs/animals/sam_masks)',
    )
    shorter.add_argument(
        '--prompt-epochs',
        type=int,
        help='passes over the photos of a training of prompts (default: 5)',
    )
    shorter.add_argument(
        '--network-iterations',
        type=int,
        help='steps of a training of a network (default: 1000)',
    )
    return parser.parse_args(argv)


if __name__ == '__main__':
    parse_args()  # --help and slips are answered before torch is imported

from PIL import Image

import mmfmwsss  # noqa: F401  before mmseg: registers, and readies mmcv
from mmfmwsss.apis import run_reporting_user_errors
from mmfmwsss.utils import atomic_path, locked_folder
from mmfmwsss.utils.shipped_files import require_checkout
from mmfmwsss.workshop.report import (
    Prose,
    Section,
    find_runs,
    render_page,
    write_page,
)
from mmfmwsss.workshop.report.run_tables import learning_curves
from mmfmwsss.workshop.stages import Stage, StageRunner
from mmfmwsss.workshop.tables import (
    PAPER_TABLES,
    TABLE_DATASETS,
    RunLimits,
    TableDataset,
    TableStages,
    read_notes,
    read_result,
)
from mmfmwsss.workshop.tables.paper_figures import (
    PaperFigure,
    draw_figures,
)
from mmfmwsss.workshop.tables.report import (
    TableResult,
    markdown_tables,
    table_sections,
)

ROOT = Path(__file__).resolve().parents[1]


def run_stages(stages: Sequence[Stage], out: Path) -> StageRunner:
    """Run the stages that are not done, with a line for each."""
    runner = StageRunner(ROOT, out)
    for number, stage in enumerate(stages, start=1):
        print(f'[{number}/{len(stages)}] {stage.title}', flush=True)
        ran = runner.run(stage)
        record = runner.records[stage.name]
        done = f'{record.seconds:.0f} s' if ran else 'done before'
        print(f'    {done}', flush=True)
    return runner


def read_figures(
    stages: Sequence[Stage], out: Path, seed: int, images: int
) -> list[PaperFigure]:
    """Draw the figures of one seed, as far as the runs allow."""
    # Find the runs that the figures need
    names = {stage.name for stage in stages}
    places = dict(
        seeds=f'seed{seed}/seeds',
        clip_es='clip_es',
        mask_settings=f'seed{seed}/mask_settings',
    )
    folders = {k: out / name for k, name in places.items() if name in names}
    return draw_figures(folders, images)


def read_curves(
    stages: Sequence[Stage], out: Path, seed: int
) -> Iterator[Section]:
    """Read the learning curves of one seed."""
    for stage in stages:
        if stage.is_training and stage.name.startswith(f'seed{seed}/'):
            (run,) = find_runs([out / stage.name])
            if curves := learning_curves(run):
                yield curves


def preface(
    dataset: TableDataset, runner: StageRunner, command: str
) -> list[str]:
    """Write the text above the tables."""
    hours = sum(r.seconds for r in runner.records.values()) / 3600
    return [
        dataset.about,
        f'Made by `{command}`; all runs together took {hours:.1f} hours. '
        'After ± stands the sample standard deviation over the seeds; a '
        'distance is within the spread if it is no more than the sample '
        'standard deviation of the difference, seed by seed. Time is training '
        'and test of a row for one seed, without masks, "shared" with other '
        'rows; memory is the largest process.',
    ]


def write_markdown(
    title: str,
    texts: Sequence[str],
    results: Sequence[TableResult],
    figures: Sequence[PaperFigure],
    out: Path,
) -> Path:
    """Write tables.md, and the figures as pictures beside it."""
    # Begin with the tables
    parts = [markdown_tables(title, texts, results)]
    # Add the figures, each as a file beside the page
    for figure in figures:
        name = f'figure_{figure.number}.jpg'
        with atomic_path(out / name) as path:
            Image.fromarray(figure.picture()).save(path, 'JPEG', quality=85)
        parts.append(
            f'## {figure.title}\n\n{figure.caption}\n\n'
            f'![{figure.title}]({name})\n'
        )
    # Write the page whole
    with atomic_path(out / 'tables.md') as path:
        path.write_text('\n'.join(parts))
    return out / 'tables.md'


def write_tables(
    args: argparse.Namespace,
    chain: TableStages,
    runner: StageRunner,
    stages: Sequence[Stage],
    seeds: Sequence[int],
) -> None:
    """Collect what the runs measured, and write both pages."""
    # Collect the figures of each table
    dataset, out = chain.dataset, chain.out
    notes = {} if args.notes is None else read_notes(args.notes)
    results = [
        read_result(PAPER_TABLES[number], chain, seeds, runner, notes)
        for number in args.tables
    ]
    # Say how the page was made
    command = ' '.join(['python', 'tools/reproduce_tables.py', *sys.argv[1:]])
    title = f'Tables of the paper on {dataset.title}'
    texts = [*preface(dataset, runner, command), *notes.get(0, [])]
    # Without figures first: these need the weights once more.
    print(write_markdown(title, texts, results, [], out))
    figures = read_figures(stages, out, seeds[0], args.figure_images)
    write_markdown(title, texts, results, figures, out)
    # Write the HTML page, with learning curves
    sections = [
        Prose('What this is', [text.replace('`', '') for text in texts]),
        *table_sections(results),
        *(figure.section() for figure in figures),
        *read_curves(stages, out, seeds[0]),
    ]
    write_page(out / 'tables.html', render_page(title, sections))
    print(out / 'tables.html')


def main() -> int:
    """Run, collect, write."""
    args = parse_args()
    dataset = TABLE_DATASETS[args.dataset]
    if args.notes is not None:
        args.notes = args.notes.resolve()
        read_notes(args.notes)  # what is wrong with them is said at once
    if args.mask_dir is not None:
        args.mask_dir = args.mask_dir.resolve()
    require_checkout(ROOT)
    os.chdir(ROOT)  # the configs name their files from here
    out = args.out or Path('work_dirs/ablation') / dataset.prefix
    limits = RunLimits(
        args.images,
        args.val_images,
        args.mask_dir,
        args.prompt_epochs,
        args.network_iterations,
    )
    chain = TableStages(dataset, out, limits.environment(dataset, out))
    count = args.seeds or dataset.seeds
    seeds = range(args.first_seed, args.first_seed + count)
    stages = chain.stages(args.tables, seeds)
    # Run them, and write the tables
    with locked_folder(out):
        runner = run_stages(stages, out)
        write_tables(args, chain, runner, stages, seeds)
    return 0


if __name__ == '__main__':
    run_reporting_user_errors(main)
