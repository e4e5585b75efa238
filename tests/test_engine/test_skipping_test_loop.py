# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeds that are current are not made again; all of them are scored."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image

from mmfmwsss.models.segmentors import CLIPPromptSegmentor
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils.palette_png import read_label_png, write_palette_png
from mmfmwsss.workshop.partworld.small_runs import (
    small_partworld_config,
    write_quarter_masks,
)

CONFIGS = Path(__file__).parents[2] / 'configs' / 'fmwsss'
ROUTES = ('fine', 'cam')


@pytest.fixture
def world(
    partworld_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A world of one's own, with masks."""
    shutil.copytree(partworld_root, tmp_path / 'world')
    monkeypatch.setenv('PARTWORLD_ROOT', str(tmp_path / 'world'))
    images = tmp_path / 'world' / 'JPEGImages'
    write_quarter_masks(images, tmp_path / 'work' / 'sam_masks')
    return tmp_path


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the pictures that the model gets."""
    names: list[str] = []
    predict = CLIPPromptSegmentor.predict

    def spy(self: Any, inputs: Any, data_samples: Any, **kwargs: Any) -> Any:
        names.extend(Path(s.img_path).stem for s in data_samples)
        return predict(self, inputs, data_samples, **kwargs)

    monkeypatch.setattr(CLIPPromptSegmentor, 'predict', spy)
    return names


def config_of(world: Path, **changes: Any) -> Config:
    work = world / 'work'
    config = small_partworld_config(
        CONFIGS / 'partworld_manual_prompt.py', work
    )
    config.model.routes = dict(
        fine=dict(config.model.routes.fine_seed),
        cam=dict(stream='manual', seeder=dict(type='ArgmaxSeeder')),
    )
    config.model.main_route = 'fine'
    config.test_evaluator = [
        dict(
            config.test_evaluator,
            prediction=route,
            prefix=route,
            output_dir=str(work / 'seeds' / route),
        )
        for route in ROUTES
    ]
    config.test_cfg = dict(type='SkippingTestLoop')
    config.merge_from_dict(changes)
    return config


def content(world: Path) -> dict[str, bytes]:
    folder = world / 'work' / 'seeds'
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob('*.png'))
    }


def test_what_is_there_is_scored_and_not_made(
    world: Path, seen: list[str]
) -> None:
    fresh = Runner.from_cfg(config_of(world)).test()
    whole = content(world)
    assert len(whole) == 12
    names = [f'train_{n:04d}' for n in range(6)]
    assert seen == names
    seen.clear()
    assert Runner.from_cfg(config_of(world)).test() == fresh
    assert seen == []
    # as a kill leaves it; one route of a picture is enough
    for name in ('fine/train_0001', 'cam/train_0004'):
        (world / 'work' / 'seeds' / f'{name}.png').unlink()
    assert Runner.from_cfg(config_of(world)).test() == fresh
    assert seen == ['train_0001', 'train_0004']
    assert content(world) == whole


def test_two_data_sets_in_one_run(world: Path, seen: list[str]) -> None:
    config = config_of(world)
    inner = config.test_dataloader.dataset
    config.test_dataloader.dataset = dict(
        type='ConcatDataset',
        datasets=[
            dict(inner, indices=[0, 1, 2]),
            dict(type='RepeatDataset', times=1, dataset=inner)
            | dict(dataset=dict(inner, indices=[3, 4, 5])),
        ],
    )
    fresh = Runner.from_cfg(config).test()
    assert seen == [f'train_{n:04d}' for n in range(6)]
    seen.clear()
    assert Runner.from_cfg(config).test() == fresh
    assert seen == []
    # Masks of either data set count
    replace_masks(world)
    Runner.from_cfg(config).test()
    assert seen == ['train_0002']
    # Transforms inside count
    seen.clear()
    last = config.test_dataloader.dataset.datasets[1].dataset
    last.pipeline[-1].meta_keys = ['img_path', 'image_name', 'ori_shape']
    Runner.from_cfg(config).test()
    assert len(seen) == 6


def replace_photo(world: Path) -> None:
    folder = world / 'world' / 'JPEGImages'
    with Image.open(folder / 'train_0002.jpg') as picture:
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(
            folder / 'train_0002.jpg'
        )


def replace_masks(world: Path) -> None:
    path = world / 'work' / 'sam_masks' / 'train_0002.json'
    masks = SAMMasks.load(path)
    masks.masks[0] = False
    masks.save(path)


def replace_labels(world: Path) -> None:
    path = world / 'world' / 'image_labels.txt'
    lines = path.read_text().splitlines()
    first = lines[2].split()[1]
    others = {w for line in lines for w in line.split()[1:]} - {first}
    lines[2] = f'train_0002 {sorted(others)[0]}'
    path.write_text('\n'.join(lines))


def edit_seed(world: Path) -> None:
    path = world / 'work' / 'seeds' / 'cam' / 'train_0002.png'
    write_palette_png(path, read_label_png(path) * 0)


@pytest.mark.parametrize(
    'change', [replace_photo, replace_masks, replace_labels, edit_seed]
)
def test_what_has_changed_is_made_again(
    world: Path, seen: list[str], change: Callable[[Path], None]
) -> None:
    Runner.from_cfg(config_of(world)).test()
    change(world)
    seen.clear()
    found = Runner.from_cfg(config_of(world)).test()
    assert seen == ['train_0002']
    again = content(world)
    shutil.rmtree(world / 'work' / 'seeds')
    assert Runner.from_cfg(config_of(world)).test() == found
    assert content(world) == again


def test_other_settings_and_weights_make_all_again(
    world: Path, seen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Runner.from_cfg(config_of(world)).test()
    for key, value in (
        ('model.routes.fine.seeder.alpha', 0.3),
        ('test_dataloader.dataset.pipeline.1.patch_size', 16),
    ):
        seen.clear()
        Runner.from_cfg(config_of(world, **{key: value})).test()
        assert len(seen) == 6
    Runner.from_cfg(config_of(world)).test()
    seen.clear()
    runner = Runner.from_cfg(config_of(world))
    runner.model.clip.model.visual.conv1.weight.data[0, 0, 0, 0] += 1
    runner.test()
    assert len(seen) == 6


def test_a_metric_without_files_needs_every_picture(
    world: Path, seen: list[str]
) -> None:
    for _ in range(2):
        seen.clear()
        config = config_of(world)
        config.test_evaluator[1].output_dir = None
        Runner.from_cfg(config).test()
        assert len(seen) == 6


def test_in_batches_with_a_picture_that_fails(
    world: Path, seen: list[str]
) -> None:
    Runner.from_cfg(config_of(world)).test()
    for number in (1, 4):  # of sizes that do not stack
        name = f'train_{number:04d}.png'
        (world / 'work' / 'seeds' / 'fine' / name).unlink()
    photo = world / 'world' / 'JPEGImages' / 'train_0003.jpg'
    photo.write_bytes(b'broken')
    seen.clear()
    config = config_of(world)
    config.test_dataloader.batch_size = 6
    config.test_dataloader.num_workers = 1
    metrics = Runner.from_cfg(config).test()
    assert seen == ['train_0001', 'train_0004']
    assert metrics['fine/failed'] == 1
    assert metrics['fine/images'] == 5
    record = json.dumps(metrics)
    assert 'NaN' not in record
