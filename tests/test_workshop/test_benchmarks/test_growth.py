# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Costs of commands, and how they grow."""

import pytest

from mmfmwsss.datasets import get_class_prompts
from mmfmwsss.workshop.benchmarks import Settings, Unequal
from mmfmwsss.workshop.benchmarks.growth import (
    CommandCost,
    growth,
    run_tool,
)
from mmfmwsss.workshop.benchmarks.many_pictures import (
    draw_pictures,
    measure_many_pictures,
    summarise,
)
from mmfmwsss.workshop.benchmarks.pipeline import (
    check_growth,
    measure_pipeline,
)


def test_growth_leaves_the_start_up_out():
    assert growth([10, 20, 40], [105, 110, 120]) == 1
    assert growth([10, 20, 40], [105, 110, 180]) == 7
    assert growth([10, 20, 40], [105, 110, 180], noise=5) == 3.25


def test_a_summary_extrapolates_by_the_last_slope():
    costs = [CommandCost(9, seconds, 50) for seconds in (10, 20, 40)]
    notes = summarise((100, 200, 400), costs)
    assert notes['last slope over first, CPU'] == '1.00'
    assert notes['82081 pictures, extrapolated'] == '8208 s CPU'
    same = summarise((100, 200, 400), [costs[0]] * 3)
    assert same['growth'].startswith('too cheap')
    assert same['82081 pictures, extrapolated'] == '10 s CPU'


def test_pictures_have_labels(tmp_path):
    draw_pictures(tmp_path, 4)
    assert len(list((tmp_path / 'images').iterdir())) == 4
    lines = (tmp_path / 'image_labels.csv').read_text().splitlines()
    assert lines[1:3] == ['000000,cat', '000001,dog']
    prompts = get_class_prompts(str(tmp_path / 'classes.yaml'))
    assert list(prompts.foreground) == ['cat', 'dog', 'bird']


def test_a_command_that_fails_is_told(tmp_path):
    with pytest.raises(Unequal, match='ended with code 2'):
        run_tool(
            ['tools/test.py', 'a.py', '--no-such-option'], tmp_path, {}, 1
        )


def test_what_grows_faster_than_the_pictures_is_refused():
    def grow(*costs):
        check_growth('seeds', (1, 2, 4), [CommandCost(1, *c) for c in costs])

    grow((10, 50), (20, 50), (40, 50))
    grow((9.4, 50), (10.3, 50), (13.2, 50))  # start-ups differ that much
    with pytest.raises(Unequal, match='seeds: costs of a picture'):
        grow((10, 50), (20, 50), (60, 50))
    with pytest.raises(Unequal, match='seeds: memory'):
        grow((10, 50), (11, 50), (13, 60))


@pytest.mark.slow
def test_the_pipeline_is_measured():
    rows = list(measure_pipeline(Settings(quick=True)))
    assert len(rows) == 8
    assert all(row.times['ours'].peak_mb > 100 for row in rows)


@pytest.mark.slow
def test_many_pictures_are_measured():
    rows = {
        row.case: row.notes
        for row in measure_many_pictures(Settings(quick=True))
    }
    assert len(rows) == 7
    # The runs' own files are fewer than 8.
    fullest = rows['files in the fullest folder']
    assert list(fullest) == ['2 pictures', '4 pictures', '8 pictures']
    assert fullest['2 pictures'] < 8
    assert fullest['8 pictures'] == 8
