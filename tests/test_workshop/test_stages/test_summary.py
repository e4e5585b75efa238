# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The table at the end of a pipeline: seconds, mIoU, what to expect."""

import json
from pathlib import Path

import pytest

from mmfmwsss.workshop.stages import Stage, StageRecord, StageRunner
from mmfmwsss.workshop.stages.expected_scores import Score
from mmfmwsss.workshop.stages.summary import (
    format_summary,
    read_scores,
    summary_record,
)

STAGES = [
    Stage('prompt', 'learn', ('tools/train.py', '--work-dir', 'prompt')),
    Stage('seed', 'make seeds', ('tools/test.py', '--work-dir', 'seed')),
    Stage('test', 'score', ('tools/test.py', '--work-dir', 'test')),
]
SCORES = [
    Score('fine', 'seed', 'fine_seed/mIoU', 'fine seed', 74.2, 'paper'),
    Score('coarse', 'seed', 'coarse_seed/mIoU', 'coarse seed', 71.5, 'paper'),
    Score('net', 'test', 'mIoU', 'network'),
]


@pytest.fixture
def runner(tmp_path: Path) -> StageRunner:
    """Three stages that have run; the coarse seeds were not scored."""
    runner = StageRunner(tmp_path, tmp_path / 'out')
    for stage, seconds in zip(STAGES, (60, 1234.4, 5), strict=True):
        runner.records[stage.name] = StageRecord('key', seconds, 0.0)
    records = dict(fine_seed=dict(split='VOC train_aug'))
    for name, content in dict(
        seed=dict(
            metrics={'fine_seed/mIoU': 70.123, 'fine_seed/images': 10582.0},
            records=records,
        ),
        test=dict(metrics={'mIoU': 33.0}, records={}),
    ).items():
        (tmp_path / name).mkdir()
        (tmp_path / name / 'metrics.json').write_text(json.dumps(content))
    return runner


def test_rows_are_what_was_measured(runner: StageRunner) -> None:
    rows = read_scores(SCORES, runner, STAGES)
    found = [(r.score.key, r.miou, r.split, r.images) for r in rows]
    assert found == [
        ('fine', 70.12, 'VOC train_aug', 10582),
        ('net', 33.0, '', None),
    ]
    assert summary_record(rows, runner) == {
        'fine': 70.12,
        'net': 33.0,
        'seconds': {'prompt': 60, 'seed': 1234.4, 'test': 5},
        'images': {'VOC train_aug': 10582},
    }
    # Of a stage that was not looked at nothing is shown, were it there.
    del runner.records['seed']
    assert [r.score.key for r in read_scores(SCORES, runner, STAGES)] == [
        'net'
    ]


def test_the_table(runner: StageRunner) -> None:
    rows = read_scores(SCORES, runner, STAGES)
    ran = ['prompt', 'test']
    assert format_summary('VOC', rows, runner, STAGES, ran) == (
        'VOC: mIoU in %, background included\n'
        '               seconds  scored on               mIoU  expected\n'
        'learn               60\n'
        'make seeds       1234*\n'
        '    fine seed           VOC train_aug (10,582)  70.1      74.2\n'
        'score                5\n'
        '    network                                     33.0\n'
        'total             1299\n'
        'expected: paper\n'
        '* not run now: done before'
    )


def test_a_small_run_expects_nothing(runner: StageRunner) -> None:
    rows = read_scores(SCORES, runner, STAGES)
    names = [stage.name for stage in STAGES]
    text = format_summary('VOC', rows, runner, STAGES, names, False)
    assert '74.2' not in text
    assert text.endswith('a small run: its scores compare with no others')


def test_a_stage_that_was_left_out_was_not_done_before(
    runner: StageRunner,
) -> None:
    for name in ('seed', 'test'):
        del runner.records[name]
    text = format_summary('VOC', [], runner, STAGES, ['prompt'])
    assert 'before' not in text
    assert '* not run now' in format_summary('VOC', [], runner, STAGES, [])


def test_without_scores_there_are_no_empty_columns(
    runner: StageRunner,
) -> None:
    ran = ['prompt', 'seed', 'test']
    assert format_summary('own photos', [], runner, STAGES, ran, False) == (
        'own photos: not scored\n'
        '            seconds\n'
        'learn            60\n'
        'make seeds     1234\n'
        'score             5\n'
        'total          1299'
    )
