# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The sweep is a sweep, and says that it looked at the ground truth."""

import importlib.util
import json
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from mmfmwsss.utils import UserInputError

ROOT = Path(__file__).parents[2]
PATH = ROOT / 'tools' / 'oracle_alpha.py'
SPEC = importlib.util.spec_from_file_location('oracle_alpha', PATH)
tool = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)
CONFIG = ROOT / 'configs' / 'fmwsss' / 'partworld_seed.py'


def arguments(*more):
    return tool.parse_args([str(CONFIG), *more])


def test_sweep_replaces_the_routes():
    config = Config.fromfile(CONFIG)
    route = config.model.routes.coarse_seed.to_dict()
    args = arguments('--route', 'coarse_seed', '--alphas', '2', '1')
    assert tool.sweep(config, args) == 0.6
    assert list(config.model.routes) == ['0.6', '1.0', '2.0']
    for alpha, found in config.model.routes.items():
        seeder = {**route['seeder'], 'alpha': float(alpha)}
        assert found.to_dict() == {**route, 'seeder': seeder}
    for alpha, metric in zip(
        config.model.routes, config.test_evaluator, strict=True
    ):
        assert metric.prediction == alpha
        assert metric.ground_truth_dir.endswith('SegmentationClass')
        assert 'ORACLE' in metric.protocol
        assert metric.get('output_dir') is None  # nothing to train with


def test_a_seeder_that_names_no_alpha_has_its_default():
    config = Config.fromfile(CONFIG)
    config.model.routes.cam.seeder = {'type': 'DenseCRF'}
    assert tool.sweep(config, arguments('--route', 'cam')) == 1.0
    assert config.model.routes['2.0'].seeder.alpha == 2.0
    config = Config.fromfile(CONFIG)
    config.model.routes.cam.seeder = {'type': 'NoSeeder'}
    with pytest.raises(UserInputError, match="'coarse_seed'.*got 'cam'"):
        tool.sweep(config, arguments('--route', 'cam'))


def test_truth_is_read_as_by_the_metric_of_the_config():
    config = Config.fromfile(CONFIG)
    config.test_evaluator = dict(
        type='SeedMetric',
        prediction='cam',
        ground_truth_dir='masks',
        truth_numbers=[0, 8, 12],
        output_dir='seeds',
    )
    tool.sweep(config, arguments('--route', 'cam'))
    for metric in config.test_evaluator:
        assert metric.truth_numbers == [0, 8, 12]
        assert 'output_dir' not in metric


def test_wrong_routes():
    config = Config.fromfile(CONFIG)
    with pytest.raises(UserInputError, match=r"'fine_seed'.*got 'none'"):
        tool.sweep(config, arguments('--route', 'none'))
    for metric in config.test_evaluator:
        metric.ground_truth_dir = None
    with pytest.raises(UserInputError, match='--ground-truth DIR'):
        tool.sweep(config, arguments('--route', 'cam'))
    args = arguments('--route', 'cam', '--ground-truth', 'elsewhere')
    tool.sweep(config, args)
    assert config.test_evaluator[0].ground_truth_dir == 'elsewhere'


def test_report_names_the_best_and_the_fixed():
    metrics = {
        '0.6/mIoU': 40.0, '0.6/images': 7, '1.0/mIoU': 41.5, '1.0/images': 7,
        '2.0/mIoU': 39.0, '2.0/images': 7,
    }  # fmt: skip
    text = tool.report(metrics, 0.6)
    assert 'ORACLE' in text
    assert '7 images: 41.50 at alpha 1.0' in text
    assert 'has 40.00 at the alpha 0.6 of the config' in text
    assert tool.report({'0.6/images': 0}, 0.6) == 'no picture could be scored'


@pytest.mark.slow
def test_same_scores_as_single_runs(partworld_root, tmp_path, monkeypatch):
    """Manual prompts need no checkpoint; the argmax of CAMs, no masks."""
    monkeypatch.setenv('PARTWORLD_ROOT', str(partworld_root))

    def config():
        found = Config.fromfile(CONFIG.with_name('partworld_manual_prompt.py'))
        route = found.model.routes.fine_seed.to_dict()
        seeder = {'type': 'ArgmaxSeeder', 'alpha': 1.0}
        found.model.routes = {'cam': {**route, 'seeder': seeder}}
        pipeline = found.test_dataloader.dataset.pipeline
        found.test_dataloader.dataset.pipeline = [
            step for step in pipeline if step.type != 'LoadSAMMasks'
        ]
        found.test_dataloader.update(num_workers=0, persistent_workers=False)
        found.test_evaluator = {
            'type': 'SeedMetric',
            'prediction': 'cam',
            'ground_truth_dir': str(partworld_root / 'SegmentationClass'),
        }
        found.work_dir = str(tmp_path / 'run')
        return found

    config().dump(tmp_path / 'config.py')
    arguments = [str(tmp_path / 'config.py'), '--route=cam', '--alphas', '3']
    assert tool.main(arguments) == 0
    path = tmp_path / 'run' / 'oracle_alpha' / 'oracle_alpha.json'
    swept = json.loads(path.read_text())['metrics']
    for alpha in (1.0, 3.0):
        single = config()
        single.model.routes.cam.seeder.alpha = alpha
        metrics = Runner.from_cfg(single).test()
        assert metrics['cam/mIoU'] == swept[f'{alpha}/mIoU']
    assert swept['1.0/mIoU'] != swept['3.0/mIoU']
    assert swept['1.0/images'] == 6
