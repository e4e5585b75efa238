# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The data set of weak supervision: records, checks, failures."""

import json

import numpy as np
import pytest
import torch
from mmseg.registry import DATASETS
from PIL import Image

import mmfmwsss  # noqa: F401  readies mmcv
from mmfmwsss.datasets import ImageLabelDataset
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError

PROMPTS = {'classes': ['cat', 'dog'], 'background': ['floor']}


@pytest.fixture
def root(tmp_path):
    (tmp_path / 'images').mkdir()
    for number, name in enumerate(('a', 'b b', 'c')):
        pixels = np.full((20, 30, 3), 40 * number, np.uint8)
        Image.fromarray(pixels).save(tmp_path / 'images' / f'{name}.jpg')
    labels = {'a': ['cat'], 'b b': ['dog', 'cat'], 'c': ['dog'], 'z': ['cat']}
    (tmp_path / 'labels.json').write_text(json.dumps(labels))
    (tmp_path / 'train.txt').write_text('a\nb b\nc\n')
    return tmp_path


def _build(root, **kwargs):
    settings = {
        'type': 'ImageLabelDataset',
        'class_prompts': PROMPTS,
        'data_root': str(root),
        'image_dir': 'images',
        'image_list': 'train.txt',
        'label_file': 'labels.json',
        'pipeline': [{'type': 'LoadImageStrict'}, {'type': 'PackWSSSInputs'}],
    }
    return DATASETS.build({**settings, **kwargs})


def test_records(root):
    dataset = _build(root)
    assert isinstance(dataset, ImageLabelDataset)
    assert len(dataset) == 3
    info = dataset.get_data_info(1)
    assert info['img_path'] == str(root / 'images' / 'b b.jpg')
    assert info['image_labels'].tolist() == [True, True]
    assert info['image_labels'].dtype == np.bool_
    assert info['seg_fields'] == []
    assert info['label_map'] is None
    assert info['reduce_zero_label'] is False
    assert info['sample_idx'] == 1
    assert not any('seg_map' in key for key in info)
    assert dataset.metainfo['classes'] == ('background', 'cat', 'dog')
    assert len(dataset.metainfo['palette']) == 3
    assert dataset.get_cat_ids(2) == [1]


def test_sample(root):
    sample = _build(root)[2]
    assert sample['inputs'].shape == (3, 20, 30)
    assert sample['data_samples'].image_labels.dtype == torch.bool
    assert sample['data_samples'].image_labels.tolist() == [False, True]
    assert sample['data_samples'].ori_shape == (20, 30)
    assert 'gt_sem_seg' not in sample['data_samples']


def test_without_a_list_the_labelled_pictures_are_read(root):
    with pytest.raises(UserInputError, match=r'4 listed.*1 of them.*e\.g\. z'):
        _build(root, image_list=None)
    (root / 'images' / 'z.jpg').write_bytes(b'')
    assert len(_build(root, image_list=None)) == 4


def test_folder_alone_in_a_test_run(root, monkeypatch):
    # No labels were asked for: none are missed
    module = 'mmfmwsss.datasets.image_label_dataset.print_log'
    lines = []
    monkeypatch.setattr(module, lambda line, **_: lines.append(line))
    dataset = _build(root, image_list=None, label_file=None, test_mode=True)
    assert len(dataset) == 3
    assert not dataset.get_data_info(0)['image_labels'].any()
    assert lines == []
    with pytest.raises(UserInputError, match='3 of 3 pictures have no'):
        _build(root, image_list=None, label_file=None)


def test_names_with_and_without_suffix(root):
    Image.new('RGB', (4, 4)).save(root / 'images' / 'd.png')
    (root / 'train.txt').write_text('a.jpg\nb b\nd.png\n')
    (root / 'labels.txt').write_text('a cat\nb b.jpg\tdog\nd cat\n')
    dataset = _build(
        root, label_file='labels.txt', image_suffix=['.jpg', '.png']
    )
    paths = [dataset.get_data_info(i)['img_path'] for i in range(3)]
    names = [p.rsplit('/', 1)[1] for p in paths]
    assert names == ['a.jpg', 'b b.jpg', 'd.png']


def test_unlabelled_pictures(root):
    (root / 'labels.json').write_text('{"a": ["cat"], "c": []}')
    with pytest.raises(UserInputError, match=r'2 of 3 .*e\.g\. b b.*json'):
        _build(root)
    dataset = _build(root, test_mode=True)
    shown = [dataset.get_data_info(i)['image_labels'].any() for i in range(3)]
    assert shown == [True, False, False]
    dataset = _build(root, drop_unlabelled=True)
    assert len(dataset) == 1
    assert dataset.get_data_info(0)['img_path'].endswith('a.jpg')
    (root / 'labels.json').write_text('{"a": []}')
    with pytest.raises(UserInputError, match='3 of 3'):
        _build(root, drop_unlabelled=True)


def test_missing_folder_and_two_sources(root):
    with pytest.raises(UserInputError, match='3 pictures.*no such folder'):
        _build(root, image_dir='nowhere')
    with pytest.raises(UserInputError, match='/x, but there is none'):
        _build(root, image_dir='x', image_list=None, label_file=None)
    with pytest.raises(UserInputError, match='none of its 3 files'):
        _build(root, image_list=None, label_file=None, image_suffix='.tif')
    with pytest.raises(UserInputError, match='got both'):
        _build(root, xml_dir='x')


@pytest.mark.parametrize('damage', [b'', b'\xff\xd8\xff', None])
def test_damaged_picture(root, damage):
    path = root / 'images' / 'b b.jpg'
    dataset = _build(root)
    tester = _build(root, test_mode=True)
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    with pytest.raises(UserInputError, match=r'b b\.jpg.*image list'):
        dataset[1]
    sample = tester[1]
    assert sample['inputs'].dtype == torch.uint8
    assert sample['inputs'].shape[0] == 3
    assert 'b b.jpg' in sample['data_samples'].metainfo['failure']
    assert sample['data_samples'].img_path == str(path)
    assert sample['data_samples'].image_labels.tolist() == [True, True]
    assert len(sample['data_samples'].sam_masks) == 0
    assert 'failure' not in tester[0]['data_samples'].metainfo


def test_missing_masks_are_a_failure_and_labels_stay(root):
    pipeline = [
        {'type': 'LoadImageStrict'},
        {'type': 'LoadSAMMasks', 'mask_dir': str(root / 'masks')},
        {'type': 'PackWSSSInputs'},
    ]
    SAMMasks.empty((20, 30)).save(root / 'masks' / 'a.json')
    tester = _build(root, pipeline=pipeline, test_mode=True)
    assert 'failure' not in tester[0]['data_samples'].metainfo
    failure = tester[2]['data_samples'].metainfo['failure']
    assert 'tools/test.py' in failure
    assert 'c.jpg' in failure or 'c.json' in failure


class _Fails:
    def __init__(self, error):
        self.error = error

    def __call__(self, results):
        raise self.error


def test_other_errors_name_the_picture(root):
    pipeline = [_Fails(OSError('disk on fire'))]
    with pytest.raises(UserInputError, match=r'a\.jpg: OSError: disk on fire'):
        _build(root, pipeline=pipeline)[0]
    sample = _build(root, pipeline=pipeline, test_mode=True)[0]
    assert 'a.jpg' in sample['data_samples'].metainfo['failure']
    # A slip in the pipeline is not the picture's fault.
    with pytest.raises(ValueError, match='^wrong order$'):
        _build(root, pipeline=[_Fails(ValueError('wrong order'))])[0]
    with pytest.raises(KeyError):
        _build(root, pipeline=[_Fails(KeyError('x'))], test_mode=True)[0]
