# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""COCO's instances to masks of 81 labels and lists."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from mmfmwsss.datasets import COCO14SegDataset
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import read_label_png

PATH = Path(__file__).parents[3] / 'tools/dataset_converters/coco14.py'
SPEC = importlib.util.spec_from_file_location('coco14', PATH)
tool = sys.modules['coco14'] = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)  # in sys.modules, for its worker processes

# COCO's own numbers: 1 person, 67 dining table (label 61), 47 cup (label 42).
PERSON, TABLE, CUP = 1, 67, 47
H, W = 20, 30


def box(x0, y0, x1, y1):
    return [x0, y0, x1, y0, x1, y1, x0, y1]


def instance(picture, category, segmentation, crowd=0):
    return {
        'image_id': picture,
        'category_id': category,
        'segmentation': segmentation,
        'iscrowd': crowd,
    }


@pytest.fixture
def root(tmp_path):
    """A table with a cup on it; people by run lengths; nothing."""
    crowd = np.zeros((H, W), np.uint8, order='F')
    crowd[:, 20:] = 1
    flat = crowd.flatten('F')
    runs = np.diff(np.flatnonzero(np.diff(flat, prepend=2, append=2)))
    assert flat[0] == 0
    packed = np.zeros((H, W), np.uint8, order='F')
    packed[5:8, 22:25] = 1
    rle = coco_mask.encode(packed)
    rle['counts'] = rle['counts'].decode()
    content = {
        'images': [
            {
                'id': i,
                'file_name': f'COCO_val2014_{i:012d}.jpg',
                'height': H,
                'width': W,
            }
            for i in (9, 25, 30)
        ],
        'categories': [
            {'id': PERSON, 'name': 'person'},
            {'id': CUP, 'name': 'cup'},
            {'id': TABLE, 'name': 'dining table'},
        ],
        'annotations': [
            instance(9, CUP, [box(10, 10, 14, 14)]),
            instance(9, TABLE, [box(5, 5, 20, 18), box(0, 0, 3, 3)]),
            instance(
                25,
                PERSON,
                {'counts': runs.tolist(), 'size': [H, W]},
                crowd=1,
            ),
            instance(25, CUP, rle),
        ],
    }
    for split in ('train', 'val'):
        path = tmp_path / f'annotations/instances_{split}2014.json'
        path.parent.mkdir(exist_ok=True)
        text = json.dumps(content).replace('val2014', f'{split}2014')
        path.write_text(text)
    return tmp_path


def read(root, number):
    name = f'COCO_val2014_{number:012d}.png'
    return read_label_png(root / 'SegmentationClass' / 'val2014' / name)


def expected_table():
    labels = np.zeros((H, W), np.uint8)
    labels[5:18, 5:20] = 61
    labels[:3, :3] = 61
    return labels


@pytest.mark.parametrize('workers', ['1', '2'])
def test_masks_and_lists(root, workers):
    assert tool.main([str(root), '--workers', workers]) == 0
    for split in ('train', 'val'):
        lines = (root / 'ImageSets' / f'{split}.txt').read_text().split()
        assert lines == [
            f'COCO_{split}2014_{i:012d}' for i in (9, 25)
        ]  # not 30, which shows nothing
    table = expected_table()
    table[10:14, 10:14] = 42  # the cup is on the table
    assert (read(root, 9) == table).all()
    people = np.zeros((H, W), np.uint8)
    people[:, 20:] = 1
    people[5:8, 22:25] = 42
    assert (read(root, 25) == people).all()


def test_other_orders_and_crowds(root):
    arguments = [str(root), '--splits', 'val', '--overlap']
    assert tool.main([*arguments, 'later', '--crowd', 'ignore']) == 0
    assert (read(root, 9) == expected_table()).all()
    people = np.zeros((H, W), np.uint8)
    people[:, 20:] = 255
    people[5:8, 22:25] = 42
    assert (read(root, 25) == people).all()
    with pytest.raises(UserInputError, match='other settings'):
        tool.main([*arguments, 'ignore'])


def test_nobody_wins_an_overlap():
    job = tool.ImageInstances(
        'a',
        (4, 12),
        [
            (1, False, [box(0, 0, 6, 4)]),
            (1, False, [box(2, 0, 6, 4)]),
            (2, False, [box(4, 0, 10, 4)]),
            (3, False, [box(5, 0, 8, 4)]),
        ],
    )
    row = [1] * 4 + [255] * 4 + [2] * 2 + [0] * 2
    assert tool.paint(job, 'ignore', 'class').tolist() == [row] * 4


def test_second_run_makes_what_is_missing(root):
    arguments = [str(root), '--splits', 'val']
    tool.main(arguments)
    folder = root / 'SegmentationClass' / 'val2014'
    kept, made = sorted(folder.glob('*.png'))
    before = kept.stat().st_mtime_ns
    whole = read_label_png(made)
    made.write_bytes(made.read_bytes()[:40])
    assert tool.main(arguments) == 0
    assert kept.stat().st_mtime_ns == before
    assert (read_label_png(made) == whole).all()


def test_bad_outline_is_listed(root):
    path = root / 'annotations' / 'instances_val2014.json'
    content = json.loads(path.read_text())
    content['annotations'][3]['segmentation']['size'] = [W, H]
    path.write_text(json.dumps(content))
    assert tool.main([str(root), '--splits', 'val']) == 1
    assert read(root, 9).any()


def test_wrong_files(root):
    path = root / 'annotations' / 'instances_val2014.json'
    content = json.loads(path.read_text())
    content['categories'][0]['name'] = 'human'
    path.write_text(json.dumps(content))
    with pytest.raises(UserInputError, match='instances in .*val2014'):
        tool.main([str(root), '--splits', 'val'])
    path.unlink()
    with pytest.raises(UserInputError, match='annotations_trainval2014.zip'):
        tool.main([str(root), '--splits', 'val'])


def test_lists_only_and_the_data_set(root):
    assert tool.main([str(root), '--splits', 'val', '--lists-only']) == 0
    assert not (root / 'SegmentationClass').exists()
    (root / 'val2014').mkdir()
    for number in (9, 25):
        (root / f'val2014/COCO_val2014_{number:012d}.jpg').touch()
    config = {'data_root': str(root), 'test_mode': True}
    with pytest.raises(UserInputError, match='2 are missing.*coco14.py'):
        COCO14SegDataset(**config)
    assert len(COCO14SegDataset(**config, ground_truth_dir=None)) == 2
    tool.main([str(root), '--splits', 'val'])
    record = COCO14SegDataset(**config)[1]
    assert record['seg_map_path'].endswith('COCO_val2014_000000000025.png')


@pytest.mark.parametrize(
    'outline',
    [
        [],
        [[]],
        [[0, 0, 5, 5]],  # pycocotools takes it for a box
        [[0, 0, 5, 5, 1]],
        [[0, 0, 1e9, 0, 1e9, 1e9]],
        [[0, 0, float('nan'), 0, 5, 5]],
        [[0, 0, float('inf'), 0, 5, 5]],
        [[0, 0, '5', 0, 5, 5]],
        [[[0, 0], [5, 0], [5, 5]]],
        {'size': [H, W], 'counts': [30, -5, 575]},
        {'size': [H, W], 'counts': [10**12]},
        {'size': [10**9, 10**9], 'counts': 'a'},
        {'size': [H, W], 'counts': 'oooooooooooo0'},
    ],
)
def test_outlines_that_would_crash_pycocotools(outline):
    with pytest.raises(ValueError, match='polygon|outline|RLE'):
        tool.decode(outline, (H, W))


@pytest.mark.parametrize(
    'text',
    [
        '[' * 100_000,
        '3',
        '{"categories": 3}',
        '{"categories": [], "annotations": [], "images": [{"id": 1, '
        '"file_name": "a", "height": 1000000000, "width": 1000000000}]}',
        '{"categories": [], "annotations": [], "images": [{"id": 1, '
        '"file_name": 3, "height": 10, "width": 10}]}',
    ],
)
def test_hostile_instances(tmp_path, text):
    (tmp_path / 'a.json').write_text(text)
    with pytest.raises(UserInputError, match=r'a\.json'):
        tool.read_jobs(tmp_path / 'a.json')
