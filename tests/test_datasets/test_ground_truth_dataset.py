# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pictures with masks, and what happens where one of the two fails."""

import numpy as np
import pytest
from mmseg.registry import DATASETS
from PIL import Image

import mmfmwsss  # noqa: F401  readies mmcv
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import voc_palette, write_palette_png

PIPELINE = [
    {'type': 'LoadImageStrict'},
    {'type': 'LoadAnnotations'},
    {'type': 'PackSegInputs'},
]


@pytest.fixture
def root(tmp_path):
    """Two pictures of different suffixes."""
    (tmp_path / 'images').mkdir()
    for i, name in enumerate(('a.jpg', 'b b.png')):
        Image.new('RGB', (9, 6), (i, 0, 0)).save(tmp_path / 'images' / name)
        labels = np.full((6, 9), i + 1)
        write_palette_png(tmp_path / 'masks' / f'{name[:-4]}.png', labels)
    (tmp_path / 'list.txt').write_text('b b\na.jpg\n')
    return tmp_path


def _build(root, **kwargs):
    settings = {
        'type': 'GroundTruthDataset',
        'class_prompts': {'classes': ['cat', 'dog'], 'background': ['floor']},
        'data_root': str(root),
        'image_dir': 'images',
        'image_list': 'list.txt',
        'image_suffix': ('.jpg', '.png'),
        'ground_truth_dir': 'masks',
        'pipeline': PIPELINE,
    }
    return DATASETS.build({**settings, **kwargs})


def test_pairs(root):
    dataset = _build(root)
    assert dataset.metainfo['classes'] == ('background', 'cat', 'dog')
    assert dataset.metainfo['palette'] == [list(c) for c in voc_palette(3)]
    for i, label in enumerate((2, 1)):
        truth = dataset[i]['data_samples'].gt_sem_seg.data
        assert truth.unique().tolist() == [label]
    assert dataset[0]['data_samples'].img_path.endswith('b b.png')


def test_all_pictures_without_a_list(root):
    dataset = _build(root, image_list=None)
    assert len(dataset) == 2


def test_missing_masks_and_pictures(root):
    (root / 'masks' / 'a.png').unlink()
    with pytest.raises(UserInputError, match=r'1 are missing.*a\.png.*Tool!'):
        _build(root, remedy='Tool!')
    bare = _build(
        root,
        ground_truth_dir=None,
        pipeline=[{'type': 'LoadImageStrict'}, {'type': 'PackWSSSInputs'}],
    )
    assert 'gt_sem_seg' not in bare[0]['data_samples']
    (root / 'images' / 'a.jpg').unlink()
    with pytest.raises(UserInputError, match='2 listed pictures.*a.jpg'):
        _build(root)


def test_a_failure_is_a_placeholder_in_a_test_only(root):
    (root / 'images' / 'a.jpg').write_bytes(b'')
    with pytest.raises(UserInputError, match=r'a\.jpg'):
        _build(root)[1]
    packed = _build(root, test_mode=True)[1]
    assert 'a.jpg' in packed['data_samples'].metainfo['failure']
    assert packed['inputs'].ndim == 3


def test_placeholder_under_test_time_augmentation(root):
    pipeline = [
        {'type': 'LoadImageStrict'},
        {
            'type': 'TestTimeAug',
            'transforms': [
                [{'type': 'RandomFlip', 'prob': p} for p in (0.0, 1.0)],
                [{'type': 'PackWSSSInputs'}],
            ],
        },
    ]
    (root / 'images' / 'a.jpg').write_bytes(b'')
    dataset = _build(root, pipeline=pipeline, test_mode=True)
    assert len(dataset[0]['inputs']) == 2
    packed = dataset[1]
    assert [image.ndim for image in packed['inputs']] == [
        3,
        3,
    ]  # one for each way
    assert 'a.jpg' in packed['data_samples'][0].metainfo['failure']
