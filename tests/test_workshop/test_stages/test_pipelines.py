# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The commands of every data set: their order, configs and settings."""

import re
from functools import cache
from pathlib import Path

import pytest

from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop.stages import Stage
from mmfmwsss.workshop.stages.expected_scores import EXPECTED
from mmfmwsss.workshop.stages.pipeline_stages import (
    RunSettings,
    find_missing_data,
    list_stages,
    select_stages,
)
from mmfmwsss.workshop.stages.pipelines import PIPELINES, find_pipeline
from mmfmwsss.workshop.stages.stage import read_stage_configs, work_dir_of
from mmfmwsss.workshop.tables import PAPER_TABLES

ROOT = Path(__file__).parents[3]
VARIABLES = (
    'VOC12_ROOT', 'COCO14_ROOT', 'PARTWORLD_ROOT', 'CUSTOM_ROOT',
    'CUSTOM_WORK', 'CUSTOM_MODELS', 'CUSTOM_LABELS',
)  # fmt: skip
SMALL = RunSettings(out='small', images=6, schedule=0.1)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def list_all(
    name: str, settings: RunSettings | None = None, network: str = ''
) -> list[Stage]:
    pipeline = find_pipeline(name, ROOT, network or 'deeplabv3plus')
    return list_stages(pipeline, ROOT, settings or RunSettings())


@cache
def lines_of(name: str) -> dict[str, str]:
    return {stage.name: stage.shell_line() for stage in list_all(name)}


NETWORK = ['deeplabv3plus', 'deeplabv3plus_test']
ORDERS = {
    'partworld': [
        'dataset', 'sam_masks', 'prompt', 'seed', 'manual_prompt', *NETWORK,
        'deeplabv3plus_sams', 'pictures', 'report',
    ],
    'animals': ['sam_masks', 'prompt', 'seed', *NETWORK],
    'voc': [
        'sam_masks', 'prompt', 'seed', *NETWORK, 'sam_masks_val',
        'deeplabv3plus_sams', 'report',
    ],
    'voc_tiny': ['sam_masks', 'prompt', 'seed', *NETWORK, 'report'],
    'voc_official': [
        'sam_masks', 'prompt_official_cls', 'seed_official_cls',
        'prompt_official_seg', 'seed_official_seg', 'deeplabv3plus_official',
        'deeplabv3plus_official_test', 'sam_masks_val',
        'deeplabv3plus_official_sams', 'report',
    ],
    'coco': [
        'sam_masks', 'prompt', 'seed', *NETWORK, 'sam_masks_val',
        'deeplabv3plus_sams', 'report',
    ],
    'custom': [
        'sam_masks', 'prompt', 'seed', 'deeplabv3plus', 'predict', 'report',
    ],
}  # fmt: skip


@pytest.mark.parametrize('name', ORDERS)
def test_stages_in_their_order(name: str) -> None:
    found = list(lines_of(name))
    assert found[: len(ORDERS[name])] == ORDERS[name]
    assert found[-1] == 'report'


def test_every_data_set_is_tested_here() -> None:
    assert set(ORDERS) == set(PIPELINES)


@pytest.mark.parametrize('name', ORDERS)
def test_every_file_and_every_need_is_there(name: str) -> None:
    """Tools and configs exist; checkpoints are those the configs name."""
    written: list[str] = []
    stages = list_all(name)
    for number, stage in enumerate(stages):
        before = {earlier.name for earlier in stages[:number]}
        assert set(stage.needs) <= before
        for word in stage.command:
            if word.startswith(('tools/', 'configs/')):
                assert (ROOT / word).is_file(), word
        configs = read_stage_configs(ROOT, stage)
        if stage.is_training:
            written.append(str(work_dir_of(stage, configs)))
        for word in stage.command:
            if word.endswith('.pth'):
                assert str(Path(word).parent) in written
                named = configs[0].get('load_from')
                assert named in (None, word) or '_official' in stage.name


@pytest.mark.parametrize('name', ORDERS)
def test_a_small_run_leaves_no_path_of_the_whole_one(name: str) -> None:
    """Whatever a command reads or writes lies in its own folder."""
    work = find_pipeline(name, ROOT).work
    for stage in list_all(name, SMALL):
        assert work not in stage.shell_line()
        parts: tuple[str, ...] = (
            'model', 'test_dataloader', 'test_evaluator',
        )  # fmt: skip
        if stage.is_training:
            parts = ('model', 'train_dataloader')
        if '--tta' in stage.command:
            parts += ('tta_pipeline',)
        for config in read_stage_configs(ROOT, stage):
            assert work_dir_of(stage, [config]).startswith('small/')
            for part in parts:
                assert f'{work}/' not in str(config.get(part))


@pytest.mark.parametrize('name', ORDERS)
def test_a_small_run_is_small(name: str) -> None:
    for stage in list_all(name, SMALL):
        for config in read_stage_configs(ROOT, stage):
            if not stage.is_training:
                continue
            assert config.train_dataloader.batch_size <= 6 or (
                name == 'partworld'
            )
            # Nor does it end with all photos of val
            if config.get('val_dataloader') and name != 'partworld':
                assert config.val_dataloader.dataset.indices == SMALL.images
            length = config.train_cfg.get('max_epochs')
            length = length or config.train_cfg.max_iters
            # 17,000 iterations are 25.7 epochs, and ever fewer steps here
            assert 2 <= length <= 10
            for scheduler in config.param_scheduler:
                begin, end = scheduler.get('begin', 0), scheduler['end']
                assert 0 <= begin < end
            assert config.param_scheduler[-1]['end'] == length


def test_a_shorter_schedule_alone_keeps_the_images() -> None:
    stages = list_all('voc', RunSettings(schedule=0.5))
    (prompt,) = [stage for stage in stages if stage.name == 'prompt']
    (config,) = read_stage_configs(ROOT, prompt)
    assert config.train_cfg.max_epochs == 12
    assert config.train_dataloader.batch_size == 16
    assert 'indices' not in prompt.shell_line()
    assert 'work_dirs/voc12_schedule_0.5/prompt' in prompt.command


def test_gpus_share_the_batch_of_the_recipe() -> None:
    eight = RunSettings(gpus=8)
    lines = {s.name: s.shell_line() for s in list_all('voc', eight)}
    assert lines['sam_masks'] == (
        'tools/dist_test.sh configs/fmwsss/voc_sam_masks.py 8'
    )
    assert lines['prompt'] == (
        'tools/dist_train.sh configs/fmwsss/voc_prompt.py 8 '
        '--cfg-options train_dataloader.batch_size=2'
    )
    assert '/iter_40000.pth --tta' in lines['deeplabv3plus_test']
    assert lines['report'].startswith('python tools/make_report.py')
    # A batch of 4 keeps 4 of them busy; the test shares its photos among all.
    stages = list_all('voc', eight, 'mask2former')
    lines = {s.name: s.shell_line() for s in stages}
    assert '_swin_l.py 4 ' in lines['mask2former']
    assert 'batch_size=1' in lines['mask2former']
    assert '_swin_l.py 8 ' in lines['mask2former_test']


def test_the_number_of_gpus_is_no_other_result() -> None:
    one, three = (list_all('voc', RunSettings(gpus=n)) for n in (1, 3))
    assert [s.command for s in one] == [s.command for s in three]
    assert all(not stage.launch for stage in one)


@pytest.mark.parametrize('name', ['voc', 'coco', 'voc_official'])
def test_seeds_are_scored_where_there_are_masks(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = 'COCO14_ROOT' if name == 'coco' else 'VOC12_ROOT'
    monkeypatch.setenv(variable, str(tmp_path))
    before = [stage.shell_line() for stage in list_all(name)]
    assert not any(
        'scored' in line or 'ground_truth' in line for line in before
    )
    for folder in ('SegmentationClassAug', 'SegmentationClass/train2014'):
        (tmp_path / folder).mkdir(parents=True)
    scored = set()
    for stage in list_all(name):
        if 'seed' in stage.name:
            (config,) = read_stage_configs(ROOT, stage)
            metrics = config.test_evaluator
            metrics = metrics if isinstance(metrics, list) else [metrics]
            for metric in metrics:
                assert metric.ground_truth_dir.startswith(str(tmp_path))
                scored.add(metric.prediction)
    rows = {'coarse_seed', 'fine_seed'}
    if name != 'voc_official':
        rows |= {'cam', 'cam_caa', 'fine_seed_no_caa'}
    assert scored == rows


def test_scored_seeds_are_those_of_the_plain_config() -> None:
    """Main route, its settings and its folder: what stage 2 trains on."""
    from mmengine.config import Config

    for name in ('voc', 'coco'):
        folder = ROOT / 'configs/fmwsss'
        plain = Config.fromfile(folder / f'{name}_seed.py')
        scored = Config.fromfile(folder / f'{name}_seed_scored.py')
        assert scored.model.main_route == 'fine_seed'
        assert scored.model.routes.fine_seed == plain.model.routes.fine_seed
        (metric,) = [
            m for m in scored.test_evaluator if m.prediction == 'fine_seed'
        ]
        assert metric.output_dir == plain.test_evaluator.output_dir


def test_official_seeds_train_the_network() -> None:
    stages = {s.name: s for s in list_all('voc_official')}
    (config,) = read_stage_configs(ROOT, stages['deeplabv3plus_official'])
    (seeds,) = read_stage_configs(ROOT, stages['seed_official_seg'])
    made = seeds.test_evaluator.output_dir
    assert config.train_dataloader.dataset.seed_dir == made


def test_own_photos_go_to_the_folder_of_the_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('CUSTOM_WORK', 'mine')
    for stage in list_all('custom'):
        assert 'CUSTOM_WORK' not in stage.shell_line()
        for config in read_stage_configs(ROOT, stage):
            assert config.work_dir.startswith('mine/')
    monkeypatch.setenv('CUSTOM_MODELS', 'tiny')
    moved = list_all('custom', RunSettings(out='other'))
    assert all(s.environment == {'CUSTOM_WORK': 'other'} for s in moved)


def test_all_stages_of_own_photos_have_the_models_of_the_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # without weights
    stages = list_all('custom')
    assert all(s.environment == {'CUSTOM_MODELS': 'photo'} for s in stages)
    assert stages[0].shell_line().startswith('CUSTOM_MODELS=photo python ')
    (masks,) = read_stage_configs(ROOT, stages[0])
    assert masks.sam.arch == 'vit_t'


def test_parts_of_the_data_that_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('VOC12_ROOT', str(tmp_path))
    pipeline = find_pipeline('animals', ROOT)
    stages = list_stages(pipeline, ROOT, RunSettings())
    (tmp_path / 'JPEGImages').mkdir()
    truth = str(tmp_path / 'SegmentationClassAug')
    assert find_missing_data(pipeline, ROOT, stages) == [truth]
    (tmp_path / 'SegmentationClassAug').mkdir()
    assert find_missing_data(pipeline, ROOT, stages) == []
    # What reads no photo misses none
    reports = [stage for stage in stages if stage.name == 'report']
    monkeypatch.setenv('VOC12_ROOT', str(tmp_path / 'nowhere'))
    elsewhere = find_pipeline('animals', ROOT)
    assert find_missing_data(elsewhere, ROOT, reports) == []


def test_unknown_names_are_refused_with_a_remedy() -> None:
    with pytest.raises(UserInputError, match=r"'voc12'.*Is `voc` meant"):
        find_pipeline('voc12', ROOT)
    with pytest.raises(UserInputError, match=r"got 'mask2former'"):
        find_pipeline('custom', ROOT, 'mask2former')


def names_of(stages: list[Stage]) -> str:
    return ' '.join(stage.name for stage in stages)


def test_select_stages() -> None:
    stages = [Stage(name, name, ()) for name in 'abcde']
    assert names_of(select_stages(stages)) == 'a b c d e'
    assert names_of(select_stages(stages, first='c')) == 'c d e'
    assert names_of(select_stages(stages, last='c')) == 'a b c'
    assert names_of(select_stages(stages, 'b', 'd')) == 'b c d'
    assert names_of(select_stages(stages, only=['d', 'a'])) == 'a d'
    assert names_of(select_stages(stages, 'b', only=['a', 'd'])) == 'd'
    for wrong, expected in (
        (dict(first='f'), 'a, b, c, d, e'),
        (dict(only=['f']), "'f'"),
        (dict(first='d', last='b'), 'none is left'),
    ):
        with pytest.raises(UserInputError, match=expected):
            select_stages(stages, **wrong)


def test_expected_scores_are_those_of_the_tables() -> None:
    """PartWorld: of our page. VOC: of Tables 1, 3 and 4 of the paper."""
    page = (ROOT / 'docs/tables/partworld/tables.md').read_text()

    def ours(label: str) -> float:
        (row,) = {
            line
            for line in page.splitlines()
            if line.startswith(f'| {label} |')
        }
        return float(re.split(r' *\| *', row)[3].split()[0])

    labels = {
        'cam': 'Baseline', 'cam_caa': '+ CAA', 'fine_seed_caa': '+ CAA + SAMS',
        'baseline_manual_prompt': 'manual prompts, SAMS',
        'deeplabv3plus_test': 'DeepLabV3+',
        'deeplabv3plus_sams': 'DeepLabV3+, SAMS',
        'mask2former_test': 'Mask2Former',
        'coarse_seed': 'M1: Cls. prompts, SAMS',
        'fine_seed': 'M3: Cls. and Seg. prompts, SAMS',
    }  # fmt: skip
    for (data, key), (miou, _) in EXPECTED.items():
        if data == 'partworld':
            assert ours(labels[key]) == miou, key
    # The paper's, as the tables of this package have them
    paper = {
        row.label: row.paper
        for table in PAPER_TABLES.values()
        for row in table.rows
    }
    labels |= {
        'fine_seed_no_caa': '+ SAMS, More whole + NMS Priority + Filter',
        'mask2former_sams': 'Mask2Former, SAMS',
    }
    for (data, key), (miou, _) in EXPECTED.items():
        if data == 'voc':
            assert paper[labels[key]] == miou, key
