# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The page says first what it shows."""

import json
from pathlib import Path

from mmfmwsss.workshop.report import Prose, find_runs, run_sections
from mmfmwsss.workshop.report.opening import opening


def test_best_result_of_each_split(
    seed_run: Path, unscored_run: Path, training_run: Path
) -> None:
    file = seed_run / 'metrics.json'
    record = json.loads(file.read_text())
    record['metrics'] |= {'fine_seed/mIoU': 31.25}
    file.write_text(json.dumps(record))
    runs = find_runs([seed_run, unscored_run, training_run])
    results = [result for run in runs for result in run.results]
    first = opening(runs, results, {}, images=True)
    (text,) = first.paragraphs
    assert text.startswith('This page shows 2 tests and 1 training. Below:')
    assert 'worst first' in text
    assert first.items == [
        'Best on PartWorld train (6 images): the fine seed of seed, '
        '31.25 % mIoU.'
    ]
    assert 'images' not in opening(runs, results, {}, False).paragraphs[0]


def test_it_promises_no_scores_where_there_are_none(
    training_run: Path,
) -> None:
    (text,) = opening(find_runs([training_run]), [], {}, True).paragraphs
    assert 'CAMs, masks and label maps' in text
    for promise in ('scores', 'IoU', 'worst first', 'errors'):
        assert promise not in text


def test_it_is_the_first_section(seed_run: Path) -> None:
    first = run_sections(find_runs([seed_run]), images=1)[0]
    assert isinstance(first, Prose)
    assert first.title == 'What this page shows'
