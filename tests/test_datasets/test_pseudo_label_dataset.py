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


def test_a_seed_that_is_no_label_map_is_refused_at_the_start(root):
    Image.new('RGB', (30, 20)).save(root / 'seeds' / 'p2.png')
    with pytest.raises(UserInputError, match=r'1 of 4 .*p2\.png.* RGB.*make'):
        _build(root)
    (root / 'seeds' / 'p2.png').write_bytes(b'')
    with pytest.raises(UserInputError, match=r'p2\.png is not readable'):
        _build(root)


@pytest.mark.parametrize('at_start', [True, False])
@pytest.mark.parametrize(
    ('seed', 'message'),
    [
        (np.full((20, 30), 77), r'labels 0\.\.2 or 255 .*p1\.png.* label 77'),
        (np.zeros((30, 20)), r'p1\.jpg, \(20, 30\), but .*p1\.png'),
    ],
)
def test_a_seed_of_another_data_set(
    root, monkeypatch, seed, message, at_start
):
    if not at_start:
        monkeypatch.setattr(
            'mmfmwsss.datasets.pseudo_label_dataset._CHECKED_AT_START', 1
        )
    write_palette_png(root / 'seeds' / 'p1.png', seed)
    with pytest.raises(UserInputError, match=message):
        _build(root)[1]
    if not at_start:
        dataset = _build(root, test_mode=True)
        assert 'p1.png' in dataset[1]['data_samples'].metainfo['failure']
        assert 'failure' not in dataset[2]['data_samples'].metainfo


def test_the_seed_of_a_turned_picture_is_upright(root):
    path = root / 'data' / 'JPEGImages' / 'p1.jpg'
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (30, 20)).save(path, exif=exif)
    with pytest.raises(UserInputError, match=r'\(30, 20\)'):
        _build(root)
    write_palette_png(root / 'seeds' / 'p1.png', np.zeros((30, 20)))
    assert _build(root)[1]['data_samples'].ori_shape == (30, 20)


def test_one_picture(root):
    (root / 'data' / 'train.txt').write_text('p3\n')
    assert len(_build(root)) == 1
