# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""CAMs of a run, as the tools read them."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmfmwsss.engine import set_test_loop
from mmfmwsss.evaluation.metrics import CAMWriter, write_cams
from mmfmwsss.models.seeding import SAMS
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import read_label_png
from mmfmwsss.workshop.cam_files import read_cams
from mmfmwsss.workshop.partworld.small_runs import (
    small_partworld_config,
    write_quarter_masks,
)

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / 'configs' / 'fmwsss' / 'partworld_manual_prompt.py'


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    path = ROOT / 'tools' / 'test.py'
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(path.parent))
        spec = importlib.util.spec_from_file_location('test_tool', path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


def test_what_is_written_is_read(tmp_path: Path) -> None:
    cams = np.arange(12, dtype=np.float32).reshape(2, 2, 3) - 5
    write_cams(tmp_path / 'new' / 'a.npy', cams, [7, 2])
    found = read_cams(tmp_path / 'new' / 'a.npy', 'npy')
    np.testing.assert_array_equal(found.cams.numpy(), cams)
    assert found.classes.tolist() == [7, 2]


def test_saved_cams_give_the_seeds_of_the_run(
    tool: ModuleType,
    partworld_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SAMS on each file is the label map that the run wrote."""
    monkeypatch.setenv('PARTWORLD_ROOT', str(partworld_root))
    masks, seeds = tmp_path / 'work' / 'sam_masks', tmp_path / 'seeds'
    write_quarter_masks(partworld_root / 'JPEGImages', masks)

    def run() -> dict[str, float]:
        config = small_partworld_config(CONFIG, tmp_path / 'work')
        config.test_evaluator.output_dir = str(seeds)
        tool.save_cams(config, str(tmp_path / 'cams'))
        set_test_loop(config)
        return Runner.from_cfg(config).test()

    metrics = run()
    files = sorted((tmp_path / 'cams').iterdir())
    assert len(files) == metrics['cams'] == metrics['fine_seed/images'] > 2
    for file in files:
        cams, classes = read_cams(file, 'npy')
        made = SAMS(alpha=0.6)(
            cams, classes, SAMMasks.load(masks / f'{file.stem}.json')
        )
        written = read_label_png(seeds / f'{file.stem}.png')
        np.testing.assert_array_equal(made.numpy(), written)
    # Seeds that are current do not keep CAMs from being made
    files[0].unlink()
    assert run()['cams'] == len(files)
    assert files[0].is_file()


def test_a_network_makes_no_cams(tool: ModuleType) -> None:
    config = Config(dict(model=dict(type='EncoderDecoder')))
    with pytest.raises(UserInputError, match='its model is EncoderDecoder'):
        tool.save_cams(config, 'cams')


def test_a_model_that_keeps_none_is_named() -> None:
    writer = CAMWriter('cams', 'coarse_seed')
    sample = dict(img_path='a.jpg', fine_seed_cams=dict())
    with pytest.raises(UserInputError, match='keep_cams=True'):
        writer.process(None, [sample])


def test_a_failed_picture_has_no_file_but_a_result(tmp_path: Path) -> None:
    """Processes deal their results out in turn: each picture needs one."""
    writer = CAMWriter(str(tmp_path), 'fine_seed')
    failure = dict(img_path='a.jpg', failure='cut off')
    good = dict(
        img_path='b.jpg',
        image_labels=torch.tensor([False, True]),
        fine_seed_cams=dict(data=torch.zeros(1, 2, 2)),
    )
    writer.process(None, [failure, good])
    assert len(writer.results) == 2
    assert writer.evaluate(2) == dict(cams=1)
    assert [file.name for file in tmp_path.iterdir()] == ['b.npy']
