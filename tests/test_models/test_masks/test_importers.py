# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
import csv
import json

import cv2
import numpy as np
import pytest
import torch
from segment_anything import SamAutomaticMaskGenerator

from mmfmwsss.models.masks import (
    MissingLevelsError,
    masks_from_folder,
    masks_from_json,
    masks_from_records,
)
from mmfmwsss.utils import UserInputError

MODES = ['binary_mask', 'uncompressed_rle', 'coco_rle']


def generate(sam, image, mode):
    return SamAutomaticMaskGenerator(
        sam,
        points_per_side=4,
        pred_iou_thresh=-1,
        stability_score_thresh=0,
        output_mode=mode,
    ).generate(image)


@pytest.mark.parametrize('mode', MODES)
def test_records_of_segment_anything(sam, image, mode):
    expected = generate(sam, image, 'binary_mask')
    masks = masks_from_records(generate(sam, image, mode), level=1)
    assert len(masks) == len(expected) > 1
    for mask, record in zip(masks.masks.numpy(), expected, strict=True):
        np.testing.assert_array_equal(mask, record['segmentation'])
    assert masks.levels.unique().tolist() == [1]
    scores = [record['predicted_iou'] for record in expected]
    assert masks.predicted_iou.tolist() == pytest.approx(scores)


def test_defaults_of_bare_records():
    eye = np.eye(3)
    records = [dict(segmentation=eye), dict(segmentation=eye, level=0)]
    masks = masks_from_records(records)
    assert masks.levels.tolist() == [2, 0]
    with pytest.raises(MissingLevelsError, match='`level` of mask 0'):
        masks_from_records(records, level=None)
    assert masks_from_records(records[1:], None).levels.tolist() == [0]
    assert masks.stability_score.tolist() == [1, 1]


def test_no_records():
    assert masks_from_records([], size=(3, 4)).size == (3, 4)
    with pytest.raises(UserInputError, match='give `size`'):
        masks_from_records([])


@pytest.mark.parametrize(
    'record',
    [
        dict(),
        dict(segmentation=np.zeros(4)),
        dict(segmentation=dict(counts='abc')),
        dict(segmentation=dict(counts='abc', size=[4, 4])),
        dict(segmentation=np.eye(4), area=5),
    ],
)
def test_unreadable_record(record):
    good = dict(segmentation=np.eye(4))
    with pytest.raises(UserInputError, match='Mask 1 has no readable'):
        masks_from_records([good, record])


@pytest.mark.parametrize(
    ('scores', 'match'),
    [
        (dict(level=3), 'Mask 0 has level 3'),
        (dict(level='whole'), 'no readable scores'),
        (dict(predicted_iou=None), 'no readable scores'),
    ],
)
def test_unreadable_scores(scores, match):
    with pytest.raises(UserInputError, match=match):
        masks_from_records([dict(segmentation=np.eye(4), **scores)])


def test_sizes_that_differ():
    records = [dict(segmentation=np.eye(n)) for n in (3, 4)]
    with pytest.raises(UserInputError, match='of one size'):
        masks_from_records(records)
    with pytest.raises(UserInputError, match=r'of the image, \(4, 4\)'):
        masks_from_records(records[:1], size=(4, 4))


def test_json_of_segment_anything_and_of_sa_1b(sam, image, tmp_path):
    records = generate(sam, image, 'coco_rle')
    expected = masks_from_records(records)
    file = tmp_path / 'a.json'
    file.write_text(json.dumps(records))
    assert torch.equal(masks_from_json(file).masks, expected.masks)
    size = dict(height=image.shape[0], width=image.shape[1])
    file.write_text(json.dumps(dict(image=size, annotations=records)))
    assert torch.equal(masks_from_json(file).masks, expected.masks)
    file.write_text(json.dumps(dict(image=size, annotations=[])))
    assert masks_from_json(file).size == image.shape[:2]


@pytest.mark.parametrize('text', ['{}', '3', '[{}]', 'no JSON', '[]'])
def test_json_of_something_else(tmp_path, text):
    (tmp_path / 'a.json').write_text(text)
    with pytest.raises(UserInputError, match=r'Expected a list.*a\.json'):
        masks_from_json(tmp_path / 'a.json')


def write_folder(folder, records):
    """As scripts/amg.py of segment_anything does."""
    with (folder / 'metadata.csv').open('w', newline='') as file:
        table = csv.writer(file)
        table.writerow(['id', 'area', 'predicted_iou', 'stability_score'])
        for number, record in enumerate(records):
            table.writerow(
                [
                    number,
                    record['area'],
                    record['predicted_iou'],
                    record['stability_score'],
                ]
            )
            cv2.imwrite(
                str(folder / f'{number}.png'),
                record['segmentation'].astype(np.uint8) * 255,
            )


def test_folder_of_segment_anythings_command_line(sam, image, tmp_path):
    records = generate(sam, image, 'binary_mask')
    write_folder(tmp_path, records)
    masks, expected = masks_from_folder(tmp_path), masks_from_records(records)
    assert torch.equal(masks.masks, expected.masks)
    torch.testing.assert_close(masks.predicted_iou, expected.predicted_iou)
    cv2.imwrite(str(tmp_path / '99.png'), np.zeros((3, 3), np.uint8))
    with pytest.raises(UserInputError, match='pictures of masks'):
        masks_from_folder(tmp_path)
    (tmp_path / '1.png').write_bytes(b'damaged')
    with pytest.raises(UserInputError, match=r'1\.png cannot be read'):
        masks_from_folder(tmp_path)
    (tmp_path / '1.png').unlink()
    with pytest.raises(UserInputError, match=r'1\.png, but it is not there'):
        masks_from_folder(tmp_path)


def test_folder_of_something_else(tmp_path):
    with pytest.raises(UserInputError, match=r'metadata\.csv'):
        masks_from_folder(tmp_path)
    (tmp_path / 'metadata.csv').write_text('a,b\n1,2\n')
    with pytest.raises(UserInputError, match='no column `id`'):
        masks_from_folder(tmp_path)


def rle(counts, size=(12, 16)):
    return dict(size=list(size), counts=counts)


@pytest.mark.parametrize(
    'record',
    [
        dict(segmentation=rle([30, -5, 167]), area=5),
        dict(segmentation=rle([10**12])),
        dict(segmentation=rle([30.5, 161.5])),
        dict(segmentation=rle(['192'])),
        dict(segmentation=rle([192], (10**9, 10**9))),
        dict(segmentation=rle('0', (10**9, 10**9))),
        dict(segmentation=rle([50_000**2], (50_000, 50_000))),
        dict(segmentation=rle([192], (-12, -16))),
        dict(segmentation=rle([192], ('12', 16))),
        dict(segmentation=rle([192], (12, 16, 1))),
        dict(segmentation=rle(None)),
        dict(segmentation=rle({})),
        dict(segmentation=rle('oooooooooooo0')),
        dict(segmentation=[[1, 2], [3]]),
        dict(segmentation=[['a', 'b']]),
        dict(segmentation='abc'),
        dict(segmentation=None),
        dict(segmentation=rle([192]), area='Infinity'),
        dict(segmentation=rle([192]), area=10**400),
        dict(segmentation=rle([192]), predicted_iou='nan'),
        dict(segmentation=rle([192]), stability_score='1e999'),
        dict(segmentation=rle([192]), predicted_iou=10**400),
        dict(segmentation=rle([192]), level=1.5),
        dict(segmentation=rle([192]), level=-1),
        dict(segmentation=rle([192]), level=10**400),
        'abc',
        None,
        [],
    ],
)
def test_hostile_records_of_a_json_file(tmp_path, record):
    """One bad file, whatever is wrong: no crash, no other exception."""
    (tmp_path / 'a.json').write_text(json.dumps([record]))
    with pytest.raises(UserInputError):
        masks_from_json(tmp_path / 'a.json')


@pytest.mark.parametrize(
    'text',
    [
        '[' * 100_000,
        '{"a":' * 100_000,
        '[{"segmentation": {"size": [1, 1], "counts": [1]}, "area": NaN}]',
        '{"image": 3, "annotations": []}',
        '{"image": {"height": 1e999, "width": 3}, "annotations": []}',
        '{"image": {"height": 50000, "width": 50000}, "annotations": []}',
        '{"annotations": {}}',
        '{"annotations": [], "annotations": []}',
        '[{"segmentation": {"size": [13000, 13000], "counts": [169000000]}}'
        + ',{}' * 60
        + ']',
    ],
)
def test_hostile_json(tmp_path, text):
    (tmp_path / 'a.json').write_text(text)
    with pytest.raises(UserInputError):
        masks_from_json(tmp_path / 'a.json')


@pytest.mark.parametrize(
    ('table', 'message'),
    [
        ('id,area\n../a,1\n', 'different names'),
        ('id,area\na,1\na,1\n', 'different names|lists 2'),
        ('id,area\n' + 'a' * 200_000 + ',1\n', 'cannot be read'),
        ('id,area\n\0,1\n', 'NUL'),
        ('id,area\na,Infinity\n', 'no readable'),
        ('id,predicted_iou\na,nan\n', 'no readable scores'),
        ('id,level\na,7\n', 'level 7'),
    ],
)
def test_hostile_tables(tmp_path, table, message):
    (tmp_path / 'metadata.csv').write_text(table)
    cv2.imwrite(str(tmp_path / 'a.png'), np.full((3, 3), 255, np.uint8))
    with pytest.raises(UserInputError, match=message):
        masks_from_folder(tmp_path)


def test_pictures_of_masks_that_bomb_or_are_cut_off(tmp_path, bomb):
    (tmp_path / 'metadata.csv').write_text('id,area\na,9\n')
    picture = cv2.imencode('.png', np.full((3, 3), 255, np.uint8))[1]
    (tmp_path / 'a.png').write_bytes(picture.tobytes()[:-14])
    with pytest.raises(UserInputError, match=r'a\.png cannot be read.*cut'):
        masks_from_folder(tmp_path)
    (tmp_path / 'a.png').write_bytes(bomb)
    with pytest.raises(UserInputError, match=r'a\.png.*178,956,970'):
        masks_from_folder(tmp_path)
    (tmp_path / 'a.png').write_bytes(picture.tobytes() + b'behind the end')
    assert masks_from_folder(tmp_path).masks.all()
