# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Photos of one file name in two folders: each has its own of everything."""

import json

import numpy as np
import pytest
import torch
from mmseg.registry import DATASETS, METRICS, MODELS
from PIL import Image

import mmfmwsss  # noqa: F401  readies mmcv
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import read_label_png, write_palette_png

PROMPTS = {'classes': ['cat', 'dog'], 'background': ['wall']}
VALUES = {'kitchen/001': 255, 'garden/001': 0}
LABEL_FILES = {
    'tags.csv': 'image,tags\nkitchen/001.jpg,cat\ngarden\\001.jpg,dog\n',
    'tags.txt': 'kitchen/001 cat\ngarden/001 dog\n',
    'tags.json': json.dumps({'kitchen/001': ['cat'], 'garden/001': ['dog']}),
}
LOAD = {'type': 'LoadImageStrict'}
PACK = {'type': 'PackWSSSInputs'}


class _Bright:
    """One mask of the bright pixels."""

    def __call__(self, image):
        bright = torch.from_numpy(image[..., 0] > 128)
        one = torch.ones(1)
        return SAMMasks(bright[None], torch.tensor([2]), one, one)

    def settings(self):
        return {}


@pytest.fixture
def root(tmp_path):
    for name, value in VALUES.items():
        path = tmp_path / 'images' / f'{name}.jpg'
        path.parent.mkdir(parents=True)
        Image.fromarray(np.full((16, 24, 3), value, np.uint8)).save(path)
        write_palette_png(
            tmp_path / 'maps' / f'{name}.png',
            np.full((16, 24), 1 if value else 2),
        )
        xml = tmp_path / 'xml' / f'{name}.xml'
        xml.parent.mkdir(parents=True)
        shown = 'cat' if value else 'dog'
        xml.write_text(f'<a><object><name>{shown}</name></object></a>')
    for file, text in LABEL_FILES.items():
        (tmp_path / file).write_text(text)
    (tmp_path / 'list.txt').write_text('garden/001.jpg\nkitchen/001\n')
    return tmp_path


def _build(kind, root, pipeline=(LOAD, PACK), **kwargs):
    settings = {
        'type': kind,
        'class_prompts': PROMPTS,
        'data_root': str(root),
        'image_dir': 'images',
        'pipeline': list(pipeline),
    }
    return DATASETS.build({**settings, **kwargs})


def _infos(dataset):
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    return {info['image_name']: info for info in infos}


@pytest.mark.parametrize(
    'labels',
    [{'label_file': file} for file in LABEL_FILES] + [{'xml_dir': 'xml'}],
)
@pytest.mark.parametrize('image_list', [None, 'list.txt'])
def test_labels(root, labels, image_list):
    dataset = _build(
        'ImageLabelDataset', root, image_list=image_list, **labels
    )
    infos = _infos(dataset)
    assert infos['kitchen/001']['image_labels'].tolist() == [True, False]
    assert infos['garden/001']['image_labels'].tolist() == [False, True]
    assert infos['garden/001']['img_path'] == str(
        root / 'images' / 'garden' / '001.jpg'
    )
    samples = [dataset[i]['data_samples'] for i in range(2)]
    assert {sample.image_name for sample in samples} == set(VALUES)


def test_plain_labels_of_two_folders_are_refused(root):
    (root / 'plain.csv').write_text('001.jpg,cat\n')
    with pytest.raises(UserInputError, match=r"'001\.jpg' names.*may be"):
        _build('ImageLabelDataset', root, label_file='plain.csv')
    with pytest.raises(UserInputError, match='may be'):
        _build(
            'ImageLabelDataset', root, label_file='plain.csv',
            image_list='list.txt',
        )  # fmt: skip


def test_plain_labels_and_annotations_where_there_is_one(root):
    (root / 'images' / 'garden' / '001.jpg').unlink()
    (root / 'plain.csv').write_text('001.jpg,cat\n')
    infos = _infos(_build('ImageLabelDataset', root, label_file='plain.csv'))
    assert infos['kitchen/001']['image_labels'].tolist() == [True, False]
    (root / 'flat').mkdir()
    xml = root / 'xml' / 'kitchen' / '001.xml'
    xml.rename(root / 'flat' / '001.xml')
    infos = _infos(_build('ImageLabelDataset', root, xml_dir='flat'))
    assert infos['kitchen/001']['image_labels'].tolist() == [True, False]


def test_two_entries_of_one_picture_are_refused(root):
    (root / 'twice.txt').write_text('kitchen/001 cat\nkitchen/001.jpg dog\n')
    for image_list in (None, 'list.txt'):
        with pytest.raises(UserInputError, match='twice'):
            _build(
                'ImageLabelDataset', root, label_file='twice.txt',
                image_list=image_list,
            )  # fmt: skip


def test_two_suffixes_are_refused(root):
    for suffix in ('jpg', 'png'):
        Image.new('RGB', (24, 16)).save(root / 'images' / f'x.{suffix}')
    suffixes = {'image_suffix': ('.jpg', '.png')}
    with pytest.raises(UserInputError, match=r'x\.jpg and .*x\.png'):
        _build('GroundTruthDataset', root, ground_truth_dir=None, **suffixes)
    (root / 'x.csv').write_text('x.jpg,cat\nx.png,dog\n')
    with pytest.raises(UserInputError, match=r'x\.jpg and .*x\.png'):
        _build('ImageLabelDataset', root, label_file='x.csv', **suffixes)
    # One of them alone has its own labels, never those of the other.
    (root / 'one.txt').write_text('x.jpg\n')
    infos = _infos(
        _build(
            'ImageLabelDataset', root, label_file='x.csv',
            image_list='one.txt', **suffixes,
        )
    )  # fmt: skip
    assert infos['x']['image_labels'].tolist() == [True, False]


@pytest.mark.parametrize(
    ('kind', 'folder'),
    [
        ('GroundTruthDataset', {'ground_truth_dir': 'maps'}),
        ('PseudoLabelDataset', {'seed_dir': '{root}/maps'}),
    ],
)
def test_label_maps(root, kind, folder):
    folder = {k: v.format(root=root) for k, v in folder.items()}
    pipeline = [LOAD, {'type': 'LoadAnnotations'}, PACK]
    dataset = _build(kind, root, pipeline, **folder)
    for i in range(2):
        sample = dataset[i]['data_samples']
        label = 1 if VALUES[sample.image_name] else 2
        assert sample.gt_sem_seg.data.unique().tolist() == [label]


def test_masks_and_seeds(root):
    data = _build(
        'ImageLabelDataset', root, label_file='tags.csv', test_mode=True
    )
    model = MODELS.build(
        {
            'type': 'SAMMaskGenerator',
            'source': _Bright(),
            'output_dir': str(root / 'masks'),
        }
    )
    for item in (data[0], data[1]):
        model([item['inputs']], [item['data_samples']])
    loaders = [
        {'type': 'LoadSAMMasks', 'mask_dir': str(root / 'masks')},
        {'type': 'LoadSeed', 'seed_dir': str(root / 'maps')},
    ]
    data = _build(
        'ImageLabelDataset', root, [LOAD, *loaders, PACK],
        label_file='tags.csv',
    )  # fmt: skip
    for item in (data[0], data[1]):
        sample = item['data_samples']
        bright = bool(VALUES[sample.image_name])
        assert len(sample.sam_masks) == int(bright)
        assert sample.gt_sem_seg.data.unique().tolist() == [2 - bright]


def test_predictions_and_truth(root):
    data = _build(
        'GroundTruthDataset', root, ground_truth_dir=None, test_mode=True
    )
    metric = METRICS.build(
        {
            'type': 'SeedMetric',
            'ground_truth_dir': str(root / 'maps'),
            'output_dir': str(root / 'out'),
        }
    )
    metric.dataset_meta = data.metainfo
    for i in range(2):
        sample = data[i]['data_samples']
        label = 1 if VALUES[sample.image_name] else 2
        labels = torch.full((1, 16, 24), label)
        sample = {**sample.to_dict(), 'pred_sem_seg': {'data': labels}}
        metric.process(None, [sample])
    assert metric.evaluate(2)['pred_sem_seg/mIoU'] == 100
    for name, value in VALUES.items():
        written = read_label_png(root / 'out' / f'{name}.png')
        assert np.unique(written).tolist() == [1 if value else 2]
