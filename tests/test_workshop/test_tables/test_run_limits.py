# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Shorter runs of the tables: the right photos, in the configs themselves."""

from pathlib import Path

import pytest
from mmengine.config import Config

from mmfmwsss.datasets.image_lists import read_image_list
from mmfmwsss.utils import UserInputError, resolve_path
from mmfmwsss.workshop.tables import TABLE_DATASETS, RunLimits, TableStages
from mmfmwsss.workshop.tables.run_limits import spread_evenly

ROOT = Path(__file__).parents[3]
ANIMALS = TABLE_DATASETS['animals']
LIMITS = RunLimits(
    images=200,
    val_images=40,
    mask_dir=Path('masks'),
    prompt_epochs=12,
    network_iterations=300,
)


@pytest.mark.parametrize('count', [1, 3, 7, 10])
def test_names_at_even_distances(count: int) -> None:
    names = [str(number) for number in range(10)]
    chosen = [int(name) for name in spread_evenly(names, count)]
    assert len(chosen) == count
    assert chosen[0] == 0
    gaps = [b - a for a, b in zip(chosen, [*chosen[1:], 10], strict=True)]
    assert max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize('count', [0, -2, 11])
def test_more_names_than_there_are(count: int) -> None:
    with pytest.raises(UserInputError, match=rf'1 to 10 images.*got {count}'):
        spread_evenly('abcdefghij', count)


def test_short_lists_are_of_every_fourth_photo(tmp_path: Path) -> None:
    variables = LIMITS.environment(ANIMALS, tmp_path)
    whole = resolve_path('mmfmwsss://voc_animals/train_aug.txt', '')
    short = Path(variables['ANIMALS_TRAIN_LIST'])
    assert read_image_list(short) == read_image_list(whole)[::4]
    assert len(read_image_list(variables['ANIMALS_VAL_LIST'])) == 40
    # The same again leaves the files as they are.
    before = short.stat().st_mtime_ns
    assert LIMITS.environment(ANIMALS, tmp_path) == variables
    assert short.stat().st_mtime_ns == before


def test_no_limits_set_nothing(tmp_path: Path) -> None:
    assert RunLimits().environment(ANIMALS, tmp_path) == {}
    assert not list(tmp_path.iterdir())


def test_a_data_set_whose_configs_read_no_limit(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match=r'no --images for PartWorld'):
        RunLimits(images=5).environment(TABLE_DATASETS['partworld'], tmp_path)


def test_every_run_obeys_the_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = LIMITS.environment(ANIMALS, tmp_path)
    chain = TableStages(ANIMALS, tmp_path, variables)
    train, val = variables['ANIMALS_TRAIN_LIST'], variables['ANIMALS_VAL_LIST']
    masks = variables['ANIMALS_MASK_DIR']
    assert Path(masks).is_absolute()
    seen = set()
    for stage in chain.stages([1, 2, 3, 4, 5], [0]):
        with monkeypatch.context() as patch:
            for name, value in stage.environment.items():
                patch.setenv(name, value)
            config = Config.fromfile(ROOT / stage.configs()[0])
        of_network = 'mask2former' in stage.name or 'deeplab' in stage.name
        if config.get('train_dataloader') is not None:
            assert config.train_dataloader.dataset.image_list == train
        tested = config.test_dataloader.dataset.image_list
        assert tested == (val if of_network else train)
        if stage.is_training:
            most = config.train_cfg.get('max_epochs')
            steps = config.train_cfg.get('max_iters')
            assert (steps if of_network else most) == (
                300 if of_network else 12
            )
        pipelines = str(config.get('train_dataloader'))
        pipelines += str(config.test_dataloader)
        if 'LoadSAMMasks' in pipelines:
            assert masks in pipelines
            assert 'work_dirs/animals/sam_masks' not in pipelines
        seen.add(stage.name)
    # The masks of val are of the short list as well.
    (stage,) = [s for s in chain.stages([3], [0]) if s.name == 'val_masks']
    assert stage.command[-1].endswith(f'image_list={val}')
    assert {'sam_masks', 'val_masks', 'seed0/mask2former_sams'} <= seen
