# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The runs of the tables: complete, in order, each once."""

from pathlib import Path

import pytest
from mmengine.config import Config

from mmfmwsss.workshop.stages import Stage
from mmfmwsss.workshop.tables import PAPER_TABLES, TABLE_DATASETS, TableStages

ROOT = Path(__file__).parents[3]
OUT = Path('work_dirs/ablation/x')


def stages_of(dataset: str, tables: list[int], seeds: int) -> list[Stage]:
    chain = TableStages(TABLE_DATASETS[dataset], OUT)
    return chain.stages(tables, range(seeds))


@pytest.mark.parametrize('dataset', sorted(TABLE_DATASETS))
@pytest.mark.parametrize('table', sorted(PAPER_TABLES))
def test_needs_come_first_and_every_row_is_measured(
    dataset: str, table: int
) -> None:
    stages = stages_of(dataset, [table], 2)
    seen: set[str] = set()
    for stage in stages:
        assert set(stage.needs) <= seen
        assert stage.name not in seen
        seen.add(stage.name)
    chain = TableStages(TABLE_DATASETS[dataset], OUT)
    for row in PAPER_TABLES[table].rows:
        assert set(chain.measuring(row.stage, [0, 1])) <= seen


def test_only_what_a_table_needs_is_run() -> None:
    names = {stage.name for stage in stages_of('partworld', [2], 1)}
    assert 'seed0/unified_context_test' in names
    assert not any('masks_' in n for n in names - {'sam_masks'})
    assert 'clip_es' not in names
    assert 'seed0/deeplabv3plus' not in names


@pytest.mark.parametrize('dataset', sorted(TABLE_DATASETS))
def test_table_2_compares_what_its_rows_say(
    dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows differ in the context, the place of the name, the names."""
    stages = {s.name: s for s in stages_of(dataset, [2], 1)}
    chain = TableStages(TABLE_DATASETS[dataset], OUT)
    designs = []
    for row in PAPER_TABLES[2].rows:
        (name,) = chain.measuring(row.stage, [0])
        for variable, value in stages[name].environment.items():
            monkeypatch.setenv(variable, value)
        config = Config.fromfile(ROOT / stages[name].configs()[0])
        prompts = config.model.streams.segmentation.prompts
        designs.append(
            (
                prompts.class_specific,
                prompts.name_position,
                prompts.nameless_background,
            )
        )
    assert designs == [
        (False, 'end', False),
        (True, 'end', False),
        (True, 'front', False),
        (True, 'front', True),
    ]


def test_masks_are_made_once_for_all_seeds() -> None:
    one, three = (stages_of('partworld', [4], n) for n in (1, 3))
    shared = [s.name for s in three if 'seed' not in s.name]
    assert shared == [s.name for s in one if 'seed' not in s.name]
    assert len(shared) == 6  # data set, the paper's masks, four others


@pytest.mark.parametrize('dataset', sorted(TABLE_DATASETS))
def test_tests_score_what_the_rows_name(
    dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each metric of a row is a metric of the config that measures it."""
    stages = {s.name: s for s in stages_of(dataset, sorted(PAPER_TABLES), 1)}
    chain = TableStages(TABLE_DATASETS[dataset], OUT)
    for table in PAPER_TABLES.values():
        for row in table.rows:
            (name,) = chain.measuring(row.stage, [0])
            for variable, value in stages[name].environment.items():
                monkeypatch.setenv(variable, value)
            config = Config.fromfile(ROOT / stages[name].configs()[0])
            evaluators = config.test_evaluator
            if not isinstance(evaluators, list):
                evaluators = [evaluators]
            prefix = row.metric.rpartition('/')[0]
            if not prefix:  # a segmentation network
                continue
            (metric,) = [e for e in evaluators if e.prediction == prefix]
            assert metric.ground_truth_dir
            assert prefix in config.model.routes
            route = config.model.routes[prefix]
            assert route.stream in config.model.streams
