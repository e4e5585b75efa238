# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The report on runs, with and without a model, with and without truth."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmseg.registry import MODELS

from mmfmwsss.apis import write_metrics
from mmfmwsss.workshop.partworld.small_runs import (
    small_partworld_config,
    write_quarter_masks,
)
from mmfmwsss.workshop.report import (
    ImageSheet,
    Prose,
    Table,
    find_runs,
    render_page,
    run_sections,
)

CONFIGS = Path(__file__).parents[3] / 'configs/fmwsss'


def of_kind(sections, kind):
    return [section for section in sections if isinstance(section, kind)]


def titles(card):
    return [picture.title for picture in card.pictures]


def test_run_with_truth_but_no_model(seed_run):
    sections = run_sections(find_runs([seed_run]), images=4)
    (sheet,) = of_kind(sections, ImageSheet)
    scores = [card.score for card in sheet.cards]
    assert scores == sorted(scores) and len(scores) == 4
    assert scores[-1] == 100.0 and sheet.low_first == 'Worst first'
    card = sheet.cards[0]
    assert titles(card) == [
        'image',
        'fine seed',
        'ground truth',
        'errors of fine seed',
    ]
    assert 'rank 1 of 6' in card.note and card.classes
    assert 'prompts <&".pth' in sheet.caption  # says why there are no CAMs
    classes = of_kind(sections, Table)[0]
    assert classes.title == 'Classes: PartWorld train'
    assert classes.cells[-1][0].text == 'mean'


def test_config_of_another_time_costs_the_cams_only(seed_run):
    file = seed_run / 'metrics.json'
    record = json.loads(file.read_text()) | {'checkpoint': None}
    file.write_text(json.dumps(record))
    sections = run_sections(find_runs([seed_run]), images=1)
    (sheet,) = of_kind(sections, ImageSheet)
    assert 'ModelOfAnotherTime' in sheet.caption and len(sheet.cards) == 1


def test_neither_label_maps_nor_a_model(seed_run):
    shutil.rmtree(seed_run / 'fine_seed')
    sections = run_sections(find_runs([seed_run]), images=1)
    assert of_kind(sections, ImageSheet) == []
    assert 'prompts <&".pth' in of_kind(sections, Prose)[1].items[0]


def test_run_without_truth(unscored_run):
    sections = run_sections(find_runs([unscored_run]), images=60)
    (sheet,) = of_kind(sections, ImageSheet)
    assert sheet.low_first == 'Least foreground first'
    assert len(sheet.cards) == 6 and list(sheet.legends) == ['Label maps']
    assert titles(sheet.cards[0]) == ['image', 'fine seed']
    assert 'no ground truth' in sheet.caption
    assert not any('Classes' in s.title for s in sections)


def test_scores_that_do_not_fit_the_files_are_told(seed_run):
    file = seed_run / 'metrics.json'
    record = json.loads(file.read_text())
    record['metrics']['fine_seed/mIoU'] = 12.3
    file.write_text(json.dumps(record))
    sections = run_sections(find_runs([seed_run]), images=0)
    remark = of_kind(sections, Prose)[1].items[0]
    assert 'metrics.json says 12.30' in remark
    assert of_kind(sections, Table)[0].cells[0][2].text == '12.30'


def test_missing_data_cost_the_images_only(seed_run):
    file = seed_run / 'partworld_seed.py'
    config = Config.fromfile(file)
    config.test_dataloader.dataset.data_root = '/nowhere'
    config.dump(file)
    sections = run_sections(find_runs([seed_run]))
    assert of_kind(sections, ImageSheet) == []
    assert '/nowhere' in of_kind(sections, Prose)[1].items[0]


def test_runs_on_the_same_images_share_a_sheet(
    seed_run, training_run, tmp_path
):
    shutil.copytree(seed_run, tmp_path / 'work' / 'again')
    sections = run_sections(find_runs([tmp_path / 'work']), images=2)
    (sheet,) = of_kind(sections, ImageSheet)
    shown = titles(sheet.cards[0])
    assert {'fine seed (seed)', 'fine seed (again)'} < set(shown)
    assert 'Learning curves of prompt' in [s.title for s in sections]
    assert render_page('t', sections).count('<article') == 2


@pytest.mark.slow
def test_seed_run_of_the_prompt_model(
    partworld_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole thing: CAMs of each class, masks by level, all seeds."""
    monkeypatch.setenv('PARTWORLD_ROOT', str(partworld_root))
    write_quarter_masks(partworld_root / 'JPEGImages', tmp_path / 'sam_masks')
    config = small_partworld_config(CONFIGS / 'partworld_seed.py', tmp_path)
    # Prompts start at random: these are to be found again.
    config.load_from = str(tmp_path / 'prompts.pth')
    state = MODELS.build(config.model).state_dict()
    torch.save(dict(state_dict=state, meta={}), config.load_from)
    runner = Runner.from_cfg(config)
    metrics = runner.test()
    write_metrics(runner, metrics, 1.0)
    runs = find_runs([tmp_path])
    sections = run_sections(runs, images=3)
    # Below the opening no remark: what is on disk scores as the metric said
    (opening,) = of_kind(sections, Prose)
    assert opening.title == 'What this page shows'
    table = of_kind(sections, Table)[0]
    assert table.cells[0][1].text == 'fine seed'
    assert len(table.cells) == len(config.model.routes)
    (sheet,) = of_kind(sections, ImageSheet)
    for card in sheet.cards:
        expected = ['image', *(f'CAM {name}' for name in card.classes)]
        expected += ['whole masks (2)', 'part masks (1)']
        expected += ['cam caa', 'cam', 'fine seed caa', 'coarse seed']
        expected += ['fine seed', 'ground truth']
        assert titles(card) == [*expected, 'errors of fine seed']
        assert max(card.pictures[0].image.shape) <= 240
    assert 'CAMs were made again' not in sheet.caption
    # Other weights than those of the seeds on disk are told.
    other = {
        name: value.flip(-1) if value.is_floating_point() else value
        for name, value in state.items()
    }
    torch.save(dict(state_dict=other, meta={}), config.load_from)
    (changed,) = of_kind(run_sections(runs, images=6), ImageSheet)
    assert 'not quite that of the run' in changed.caption
    torch.save(dict(state_dict=state, meta={}), config.load_from)
    # Without the seeds on disk, the model makes them again: the same.
    for route in config.model.routes:
        shutil.rmtree(tmp_path / 'seed' / route)
    again = of_kind(run_sections(find_runs([tmp_path]), images=6), ImageSheet)
    known = {card.name: card.score for card in again[0].cards}
    assert len(known) == 6 and 'wrote no label maps' in again[0].caption
    for card in sheet.cards:
        assert known[card.name] == pytest.approx(card.score)
