# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The layouts of VOC and PartWorld."""

import pytest
from mmseg.registry import DATASETS
from PIL import Image

import mmfmwsss  # noqa: F401  readies mmcv
from mmfmwsss.testing import partworld
from mmfmwsss.testing.partworld_files import PartWorldRecord, write_partworld
from mmfmwsss.utils import UserInputError


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
