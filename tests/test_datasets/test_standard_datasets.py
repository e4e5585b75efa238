# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The layouts of VOC and PartWorld."""

import json

import numpy as np
import pytest
from mmseg.registry import DATASETS
from PIL import Image

import mmfmwsss  # noqa: F401  readies mmcv
from mmfmwsss.datasets.image_lists import read_image_list
from mmfmwsss.utils import UserInputError, resolve_path
from mmfmwsss.utils.palette_png import voc_palette, write_palette_png
from mmfmwsss.workshop import partworld
from mmfmwsss.workshop.partworld.files import PartWorldRecord, write_partworld

LISTS = 'mmfmwsss://voc_animals'


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp('partworld')
    write_partworld(root, PartWorldRecord(seed=1, train=4, val=2))
    return root


@pytest.mark.parametrize(('split', 'size'), [('train', 4), ('val', 2)])
def test_partworld_with_labels(world, split, size):
    dataset = DATASETS.build(
        {
            'type': 'PartWorldImageLabelDataset',
            'data_root': str(world),
            'image_list': f'ImageSets/{split}.txt',
        }
    )
    assert len(dataset) == size
    assert dataset.metainfo['palette'] == partworld.PALETTE
    first = 0 if split == 'train' else 1000
    for i in range(size):
        scene = partworld.render_scene(1, first + i)
        labels = dataset.get_data_info(i)['image_labels']
        assert labels.nonzero()[0].tolist() == scene.visible_classes()


def test_partworld_with_ground_truth(world):
    dataset = DATASETS.build(
        {
            'type': 'PartWorldSegDataset',
            'data_root': str(world),
            'ann_file': 'ImageSets/val.txt',
            'data_prefix': {
                'img_path': 'JPEGImages',
                'seg_map_path': 'SegmentationClass',
            },
            'pipeline': [
                {'type': 'LoadImageStrict'},
                {'type': 'LoadAnnotations'},
                {'type': 'PackSegInputs'},
            ],
        }
    )
    truth = dataset[1]['data_samples'].gt_sem_seg.data[0].numpy()
    assert (truth == partworld.render_scene(1, 1001).semantic_map()).all()
    assert dataset.metainfo['classes'][1] == partworld.CLASSES[0].name


def test_voc12(tmp_path):
    for folder in ('JPEGImages', 'Annotations', 'ImageSets/Segmentation'):
        (tmp_path / folder).mkdir(parents=True)
    for name in ('2007_000001', '2007_000002'):
        Image.new('RGB', (8, 6)).save(tmp_path / f'JPEGImages/{name}.jpg')
    (tmp_path / 'Annotations/2007_000001.xml').write_text(
        '<annotation><object><name>tvmonitor</name></object>'
        '<object><name>aeroplane</name></object></annotation>'
    )
    split = tmp_path / 'ImageSets/Segmentation/train.txt'
    split.write_text('2007_000001\n')
    config = {'type': 'VOC12ImageLabelDataset', 'data_root': str(tmp_path)}
    labels = DATASETS.build(config).get_data_info(0)['image_labels']
    assert labels.nonzero()[0].tolist() == [0, 19]
    split.write_text('2007_000001\n2007_000002\n')
    with pytest.raises(UserInputError, match='an annotation for each of 2'):
        DATASETS.build(config)
    test = DATASETS.build({**config, 'xml_dir': None, 'test_mode': True})
    assert len(test) == 2


@pytest.fixture
def voc(tmp_path):
    """Two pictures with annotations, and no mask anywhere."""
    for folder in ('JPEGImages', 'Annotations', 'ImageSets/Segmentation'):
        (tmp_path / folder).mkdir(parents=True)
    for split, name in (('train', '2007_1'), ('val', '2007_2')):
        Image.new('RGB', (8, 6)).save(tmp_path / f'JPEGImages/{name}.jpg')
        (tmp_path / f'Annotations/{name}.xml').write_text(
            '<annotation><object><name>bus</name></object></annotation>'
        )
        path = tmp_path / f'ImageSets/Segmentation/{split}.txt'
        path.write_text(f'{name}\n')
    return tmp_path


def test_voc12_with_ground_truth(voc):
    config = {'type': 'VOC12SegDataset', 'data_root': str(voc)}
    with pytest.raises(UserInputError, match='1 are missing.*voc_aug.py'):
        DATASETS.build(config)
    folder = voc / 'SegmentationClassAug'
    write_palette_png(folder / '2007_2.png', np.full((6, 8), 255))
    dataset = DATASETS.build(config)
    record = dataset.get_data_info(0)
    assert record['seg_map_path'] == str(folder / '2007_2.png')
    assert dataset.metainfo['palette'] == [list(c) for c in voc_palette(21)]
    assert dataset.metainfo['classes'][:2] == ('background', 'aeroplane')
    labelled = DATASETS.build({**config, 'type': 'VOC12ImageLabelDataset'})
    assert labelled.metainfo['classes'] == dataset.metainfo['classes']


def test_voc12_test_split_has_no_masks(voc):
    (voc / 'ImageSets/Segmentation/test.txt').write_text('2007_1\n')
    dataset = DATASETS.build(
        {
            'type': 'VOC12SegDataset',
            'data_root': str(voc),
            'image_list': 'ImageSets/Segmentation/test.txt',
            'ground_truth_dir': None,
            'test_mode': True,
            'pipeline': [
                {'type': 'LoadImageStrict'},
                {'type': 'PackWSSSInputs'},
            ],
        }
    )
    assert 'seg_map_path' not in dataset.get_data_info(0)
    assert 'gt_sem_seg' not in dataset[0]['data_samples']


@pytest.fixture
def coco(tmp_path):
    """Three pictures of train: with a crowd, with polygons, with nothing."""
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'train2014').mkdir()
    names = [f'COCO_train2014_{i:012d}' for i in (9, 25, 30)]
    for name in names:
        Image.new('RGB', (8, 6)).save(tmp_path / f'train2014/{name}.jpg')
    runs = {'counts': [0, 48], 'size': [6, 8]}
    things = [
        {'image_id': 1, 'category_id': 90, 'segmentation': runs, 'iscrowd': 1},
        {'image_id': 0, 'category_id': 1, 'segmentation': [[0, 0, 3, 0, 3]]},
        {'image_id': 0, 'category_id': 90, 'segmentation': [[0, 0, 3, 0, 3]]},
        {'image_id': 0, 'category_id': 1, 'segmentation': [[0, 0, 3, 0, 3]]},
    ]
    content = {
        'info': {'year': 2014},
        'images': [
            {'id': i, 'file_name': f'{name}.jpg'}
            for i, name in enumerate(names)
        ],
        'annotations': things,
        'categories': [
            {'id': 1, 'name': 'person'},
            {'id': 90, 'name': 'toothbrush'},
        ],
    }
    path = tmp_path / 'annotations/instances_train2014.json'
    path.write_text(json.dumps(content))
    return tmp_path


@pytest.mark.parametrize('test_mode', [False, True])
def test_coco14(coco, test_mode):
    dataset = DATASETS.build(
        {
            'type': 'COCO14ImageLabelDataset',
            'data_root': str(coco),
            'test_mode': test_mode,
        }
    )
    assert len(dataset) == 2  # as the literature: none without an instance
    assert len(dataset.metainfo['classes']) == 81
    first, second = (dataset.get_data_info(i) for i in range(2))
    assert first['img_path'].endswith('COCO_train2014_000000000009.jpg')
    assert first['image_labels'].nonzero()[0].tolist() == [0, 79]
    assert second['image_labels'].nonzero()[0].tolist() == [79]


def test_coco14_list_and_wrong_files(coco):
    config = {'type': 'COCO14ImageLabelDataset', 'data_root': str(coco)}
    (coco / 'few.txt').write_text('COCO_train2014_000000000025\n')
    assert len(DATASETS.build({**config, 'image_list': 'few.txt'})) == 1
    path = coco / 'annotations/instances_train2014.json'
    content = json.loads(path.read_text())
    content['annotations'][0]['image_id'] = 7
    path.write_text(json.dumps(content))
    with pytest.raises(UserInputError, match='could not find 7'):
        DATASETS.build(config)
    with pytest.raises(UserInputError, match='instances_val2014.json'):
        DATASETS.build({**config, 'split': 'val'})
    for kind in ('ImageLabel', 'Seg'):
        settings = {'type': f'COCO14{kind}Dataset', 'split': 'test'}
        with pytest.raises(ValueError, match="'train' or 'val'.*'test'"):
            DATASETS.build({**config, **settings})


def test_coco14_with_ground_truth(coco):
    (coco / 'ImageSets').mkdir()
    name = 'COCO_train2014_000000000025'
    (coco / 'ImageSets/train.txt').write_text(f'{name}\n')
    mask = coco / 'SegmentationClass/train2014' / f'{name}.png'
    write_palette_png(mask, np.full((6, 8), 80))
    config = {'type': 'COCO14SegDataset', 'data_root': str(coco)}
    dataset = DATASETS.build({**config, 'split': 'train'})
    assert dataset.get_data_info(0)['seg_map_path'] == str(mask)
    assert len(dataset.metainfo['palette']) == 81


@pytest.mark.parametrize('kind', ['voc', 'coco'])
def test_weak_supervision_cannot_open_a_mask(kind, request, monkeypatch):
    """No mask exists, no record names one, no outline is ever in memory."""
    root = request.getfixturevalue(kind)
    seen = []
    decode = json.loads

    def watch(*args, **kwargs):
        content = decode(*args, **kwargs)
        seen.append(content)
        return content

    monkeypatch.setattr(
        'mmfmwsss.datasets.image_label_formats.json.loads', watch
    )
    name = {'voc': 'VOC12', 'coco': 'COCO14'}[kind]
    config = {'type': f'{name}ImageLabelDataset', 'data_root': str(root)}
    dataset = DATASETS.build(config)
    assert not list(root.rglob('*.png'))
    for i in range(len(dataset)):
        assert set(dataset.get_data_info(i)) == {
            'img_path',
            'image_name',
            'image_labels',
            'label_map',
            'reduce_zero_label',
            'seg_fields',
            'sample_idx',
        }
    assert len(seen) == (kind == 'coco')
    assert 'segmentation' not in str(seen)
    loading = [{'type': 'LoadImageStrict'}, {'type': 'LoadAnnotations'}]
    with pytest.raises(KeyError, match='seg_map_path'):
        DATASETS.build({**config, 'pipeline': loading})[0]


def test_a_list_of_the_package_stands_beside_any_folder(tmp_path):
    """Photos are the user's, names and labels come with the package."""
    names = read_image_list(resolve_path(f'{LISTS}/val.txt', ''))
    (tmp_path / 'JPEGImages').mkdir()
    for name in names:
        (tmp_path / 'JPEGImages' / f'{name}.jpg').touch()
    config = {
        'class_prompts': 'animals',
        'data_root': str(tmp_path),
        'image_dir': 'JPEGImages',
        'image_list': f'{LISTS}/val.txt',
    }
    labelled = DATASETS.build(
        {
            **config,
            'type': 'ImageLabelDataset',
            'label_file': f'{LISTS}/image_labels.json',
        }
    )
    paired = DATASETS.build(
        {**config, 'type': 'GroundTruthDataset', 'ground_truth_dir': None}
    )
    for dataset in (labelled, paired):
        records = [dataset.get_data_info(i) for i in range(len(dataset))]
        assert [record['image_name'] for record in records] == names
    sheep = labelled.get_data_info(names.index('2007_000175'))
    assert sheep['image_labels'].tolist() == [False] * 4 + [True]
    with pytest.raises(UserInputError, match='no_such.txt'):
        DATASETS.build(
            {
                **config,
                'type': 'ImageLabelDataset',
                'image_list': f'{LISTS}/no_such.txt',
            }
        )
