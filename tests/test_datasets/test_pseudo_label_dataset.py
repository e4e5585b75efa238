# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeds as labels: pairs, refusals, left-out pictures."""

import numpy as np
import pytest
from mmseg.registry import DATASETS
from PIL import Image

import mmfmwsss  # noqa: F401  readies mmcv
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import write_palette_png


@pytest.fixture
def root(tmp_path):
    (tmp_path / 'data' / 'JPEGImages').mkdir(parents=True)
    names = [f'p{i}' for i in range(4)]
    for name in names:
        image = Image.new('RGB', (30, 20))
        image.save(tmp_path / 'data' / 'JPEGImages' / f'{name}.jpg')
        seed = np.array([[0, 2], [255, 1]]).repeat(10, 0).repeat(15, 1)
        write_palette_png(tmp_path / 'seeds' / f'{name}.png', seed)
    (tmp_path / 'data' / 'train.txt').write_text('\n'.join(names))
    return tmp_path


def _build(root, **kwargs):
    settings = {
        'type': 'PseudoLabelDataset',
        'class_prompts': {'classes': ['cat', 'dog'], 'background': ['floor']},
        'data_root': str(root / 'data'),
        'seed_dir': str(root / 'seeds'),
        'image_list': 'train.txt',
        'seed_command': 'make seeds',
        'pipeline': [
            {'type': 'LoadImageStrict'},
            {'type': 'LoadAnnotations'},
            {'type': 'PackSegInputs'},
        ],
    }
    return DATASETS.build({**settings, **kwargs})


def test_pairs(root):
    dataset = _build(root)
    assert len(dataset) == 4
    assert dataset.metainfo['classes'] == ('background', 'cat', 'dog')
    truth = dataset[3]['data_samples'].gt_sem_seg.data
    assert truth.shape == (1, 20, 30)
    assert truth.unique().tolist() == [0, 1, 2, 255]


def test_seed_dir_is_relative_to_the_working_folder(root, monkeypatch):
    monkeypatch.chdir(root)
    assert len(_build(root, seed_dir='seeds')) == 4


def test_missing_seeds(root):
    (root / 'seeds' / 'p2.png').unlink()
    with pytest.raises(UserInputError) as error:
        _build(root)
    for part in ('1 of 4', '25.0%', 'p2.png', '`make seeds`'):
        assert part in str(error.value)
    with pytest.raises(UserInputError, match='at most 24'):
        _build(root, max_missing=0.24)
    dataset = _build(root, max_missing=0.25)
    names = [dataset.get_data_info(i)['img_path'][-6:] for i in range(3)]
    assert (len(dataset), names) == (3, ['p0.jpg', 'p1.jpg', 'p3.jpg'])


def test_no_seed_at_all_is_refused_whatever_the_share(root):
    with pytest.raises(UserInputError, match='4 of 4'):
        _build(root, seed_dir=str(root / 'none'), max_missing=1.0)


def test_missing_pictures_and_list(root):
    (root / 'data' / 'JPEGImages' / 'p1.jpg').unlink()
    with pytest.raises(UserInputError, match=r'1 of them are missing.*p1'):
        _build(root)
    with pytest.raises(UserInputError, match='not there'):
        _build(root, image_list='val.txt')
    with pytest.raises(ValueError, match='max_missing'):
        _build(root, max_missing=2)
