# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Runs are found and read."""

import os
import shutil
from pathlib import Path

import pytest

from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop.report import find_runs


def test_finds_runs_below_a_folder_oldest_first(seed_run, training_run):
    os.utime(training_run / 'partworld_prompt.py', (1, 1))
    runs = find_runs([seed_run.parent])
    assert [run.name for run in runs] == ['prompt', 'seed']
    assert [run.name for run in find_runs([seed_run])] == ['seed']
    # named twice, found once
    assert len(find_runs([seed_run, seed_run.parent])) == 2


def test_names_are_as_short_as_they_can_be(seed_run, tmp_path):
    shutil.copytree(seed_run, tmp_path / 'other' / 'seed')
    names = {run.name for run in find_runs([tmp_path])}
    assert names == {'work/seed', 'other/seed'}


def test_result(seed_run):
    (run,) = find_runs([seed_run])
    (result,) = run.results
    assert (result.title, result.split) == ('fine seed', 'PartWorld train')
    assert result.score('images') == 6 and result.score('mIoU') is None
    assert result.label_dir == seed_run / 'fine_seed'
    assert run.checkpoint() == Path('prompts <&".pth')


def test_label_maps_of_a_moved_run_are_found(seed_run, tmp_path):
    moved = seed_run.rename(tmp_path / 'moved')
    (run,) = find_runs([moved])
    assert run.results[0].label_dir == moved / 'fine_seed'


def test_resumed_trainings_are_joined(training_run):
    (run,) = find_runs([training_run])
    assert [row['step'] for row in run.scalars] == [10, 20, 30]
    assert run.scalars[-1]['mIoU'] == 31.0
    assert run.scalars[-1]['loss'] == pytest.approx(1 / 30)
    assert run.results == []


def test_checkpoint_of_a_training(training_run):
    weights = training_run / 'iter_30.pth'
    (training_run / 'last_checkpoint').write_text('/gone/iter_30.pth')
    (run,) = find_runs([training_run])
    assert run.checkpoint() == Path('/gone/iter_30.pth')
    weights.touch()
    assert run.checkpoint() == weights


def test_no_run(tmp_path):
    with pytest.raises(UserInputError, match='there is no config in it'):
        find_runs([tmp_path])
    with pytest.raises(UserInputError, match='nowhere'):
        find_runs([tmp_path / 'nowhere'])


def test_damaged_scores(seed_run):
    (seed_run / 'metrics.json').write_text('{"metrics"')
    with pytest.raises(UserInputError, match='could not read them'):
        find_runs([seed_run])
