# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Run Tables 1 to 5 of the paper and set them beside its figures.

    python tools/reproduce_tables.py
    python tools/reproduce_tables.py --tables 1 2 --seeds 3
    python tools/reproduce_tables.py --dataset voc12

Runs what is missing, each row a config of configs/fmwsss/ablation, and writes
tables.md and tables.html. Stopped, it goes on where it was. The embedded
PartWorld needs nothing; VOC 2012 and COCO 2014 need the data and the weights
(see the README). Ground truth is opened only to score.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import mmfmwsss  # noqa: F401  before mmseg: registers, and readies mmcv
from mmfmwsss.apis import (
    TABLE_DATASETS,
    Stage,
    StageRecord,
    StageRunner,
    TableDataset,
    TableStages,
    run_reporting_user_errors,
)
from mmfmwsss.evaluation.paper_tables import (
    PAPER_TABLES,
    PaperTable,
    Row,
    summarise,
)
from mmfmwsss.utils import UserInputError, atomic_path
from mmfmwsss.visualization.report import Prose, render_page, write_page
from mmfmwsss.visualization.report.table_report import (
    Cost,
    TableResult,
    markdown_tables,
    table_sections,
)

ROOT = Path(__file__).resolve().parents[1]


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.split('\n')[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        '--tables',
        nargs='+',
        type=int,
        choices=sorted(PAPER_TABLES),
        default=sorted(PAPER_TABLES),
        help='numbers of the tables',
    )
    parser.add_argument(
        '--dataset', choices=sorted(TABLE_DATASETS), default='partworld'
    )
    parser.add_argument(
        '--seeds', type=int, default=1, help='runs of what depends on chance'
    )
    parser.add_argument(
        '--first-seed',
        type=int,
        default=0,
        help='to share work among machines',
    )
    parser.add_argument(
        '--out',
        type=Path,
        help='folder of runs and tables; default: work_dirs/ablation/PREFIX',
    )
    parser.add_argument(
        '--notes',
        type=Path,
        help='Markdown with a "## Table N" heading for each table that has '
        'remarks; default: docs/tables_DATASET_notes.md if it is there',
    )
    return parser.parse_args()


def run_stages(stages: Sequence[Stage], out: Path) -> dict[str, StageRecord]:
    """Run what is not done, with a line for each stage."""
    runner = StageRunner(ROOT, ROOT / out)
    for number, stage in enumerate(stages, start=1):
        print(f'[{number}/{len(stages)}] {stage.title}', flush=True)
        ran = runner.run(stage)
        record = runner.records[stage.name]
        done = f'{record.seconds:.0f} s' if ran else 'done before'
        print(f'    {done}', flush=True)
    return runner.records


def read_result(
    table: PaperTable,
    dataset: TableDataset,
    chain: TableStages,
    seeds: Sequence[int],
    stages: Sequence[Stage],
    records: dict[str, StageRecord],
    notes: dict[int, list[str]],
) -> TableResult:
    """Collect the figures and the costs of a table."""
    users: dict[str, int] = {}
    for row in table.rows:
        users[row.stage] = users.get(row.stage, 0) + 1
    by_name = {stage.name: stage for stage in stages}
    figures, costs, counts = {}, {}, set()
    for row in table.rows:
        names = chain.measuring(row.stage, seeds)
        values = []
        for name in names:
            value, images = read_metric(ROOT / chain.out / name, row)
            values.append(value)
            counts.add(images)
        figures[row.label] = summarise(values)
        own = [own_stages(by_name[name], by_name) for name in names]
        costs[row.label] = Cost(
            sum(records[n].seconds for names in own for n in names) / len(own),
            max(records[n].peak_mib for names in own for n in names),
            users[row.stage] > 1,
        )
    split = 'val' if table.number == 3 else 'train'
    images = ', '.join(f'{count:,}' for count in sorted(counts) if count)
    where = f'{dataset.title} {split}' + (f', {images} images' * bool(images))
    seed_text = f'{len(seeds)} seed{"s" * (len(seeds) > 1)}'
    return TableResult(
        table,
        f'{where}, {seed_text}',
        figures,
        costs,
        notes.get(table.number, []),
    )


def own_stages(test: Stage, by_name: dict[str, Stage]) -> list[str]:
    """A test and the training that it tests."""
    trainings = [n for n in test.needs if is_training(by_name[n])]
    return [test.name, *trainings]


def is_training(stage: Stage) -> bool:
    """Whether a stage trains something."""
    return stage.command[0].endswith('train.py')


def read_metric(folder: Path, row: Row) -> tuple[float, int]:
    """A row's figure and the number of images (0: not recorded)."""
    path = folder / 'metrics.json'
    try:
        metrics = json.loads(path.read_text())['metrics']
        value = float(metrics[row.metric])
    except (OSError, ValueError, KeyError) as error:
        raise UserInputError(
            f'Expected {row.metric} of {row.label!r} in {path}, but it cannot '
            f'be read ({error!r}). Delete the folder, and its file in stages, '
            f'to run it again.'
        ) from error
    prefix = row.metric.rpartition('/')[0]
    return value, int(metrics.get(f'{prefix}/images', 0))


def read_notes(path: Path) -> dict[int, list[str]]:
    """Paragraphs below each ``## Table N`` of a Markdown file."""
    parts = re.split(r'^## Table (\d+).*$', path.read_text(), flags=re.M)
    return {
        int(number): [' '.join(p.split()) for p in text.strip().split('\n\n')]
        for number, text in zip(parts[1::2], parts[2::2], strict=True)
        if text.strip()
    }


def write_reports(
    results: Sequence[TableResult],
    dataset: TableDataset,
    command: str,
    records: dict[str, StageRecord],
    out: Path,
) -> list[Path]:
    """Write the Markdown and the HTML page."""
    title = f'Tables of the paper on {dataset.title}'
    hours = sum(r.seconds for r in records.values()) / 3600
    preface = [
        "The paper's figures are of VOC 2012 with OpenAI's CLIP ViT-B/16 and "
        'SAM ViT-H; they stand beside ours to compare the order of the rows, '
        'not the figures.'
        if dataset.prefix == 'partworld'
        else "The paper's figures are of VOC 2012.",
        f'Made by `{command}`; all runs together took {hours:.1f} hours. '
        'After ± stands the sample standard deviation over the seeds. Time '
        'is training and test of a row for one seed, without masks; memory '
        'is the largest process.',
    ]
    markdown, page = ROOT / out / 'tables.md', ROOT / out / 'tables.html'
    with atomic_path(markdown) as path:
        path.write_text(markdown_tables(title, preface, results))
    plain = [text.replace('`', '') for text in preface]
    sections = [Prose('What this is', plain), *table_sections(results)]
    write_page(page, render_page(title, sections))
    return [markdown, page]


def main() -> int:
    """Run, collect, write."""
    args = parse_args()
    dataset = TABLE_DATASETS[args.dataset]
    out = args.out or Path('work_dirs/ablation') / dataset.prefix
    chain = TableStages(dataset, out)
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    stages = chain.stages(args.tables, seeds)
    records = run_stages(stages, out)
    notes_path = args.notes or ROOT / f'docs/tables_{args.dataset}_notes.md'
    notes = read_notes(notes_path) if notes_path.is_file() else {}
    results = [
        read_result(
            PAPER_TABLES[number], dataset, chain, seeds, stages, records, notes
        )
        for number in args.tables
    ]
    command = ' '.join(['python', 'tools/reproduce_tables.py', *sys.argv[1:]])
    for path in write_reports(results, dataset, command, records, out):
        print(path)
    return 0


if __name__ == '__main__':
    run_reporting_user_errors(main)
