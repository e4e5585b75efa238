# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
import json
import re
from pathlib import Path

import numpy as np
import pytest

from mmfmwsss.structures import SAMMasks, summarize_mask_file
from mmfmwsss.structures.sam_masks_file import (
    MaskFileContent,
    read_mask_file,
    write_mask_file,
)
from mmfmwsss.utils import UserInputError

DOCUMENT = Path(__file__).parents[2] / 'docs' / 'mask_files.md'


def make(count=4, size=(20, 30)):
    rng = np.random.default_rng(0)
    return MaskFileContent(
        masks=rng.uniform(size=(count, *size)) > 0.7,
        levels=rng.integers(0, 3, count).tolist(),
        predicted_iou=rng.uniform(size=count).astype(np.float32).tolist(),
        stability_score=rng.uniform(size=count).astype(np.float32).tolist(),
    )


@pytest.fixture
def file(tmp_path):
    write_mask_file(tmp_path / 'a.json', make(), 'abc')
    return tmp_path / 'a.json'


def test_schema(file):
    content = json.loads(file.read_text())
    assert list(content) == [
        'format', 'version', 'size', 'settings', 'source', 'masks', 'digest',
    ]  # fmt: skip
    assert content['size'] == [20, 30]
    assert list(content['masks'][0]) == [
        'counts',
        'area',
        'level',
        'predicted_iou',
        'stability_score',
    ]


def test_round_trip_is_exact(file):
    record, expected = read_mask_file(file), make()
    np.testing.assert_array_equal(record.masks, expected.masks)
    assert record.levels == expected.levels
    for name in ('predicted_iou', 'stability_score'):
        np.testing.assert_array_equal(
            np.float32(getattr(record, name)),
            np.float32(getattr(expected, name)),
        )


def test_summary(file, tmp_path):
    summary = summarize_mask_file(file)
    assert summary.settings == 'abc'
    assert summary.size == (20, 30)
    assert sum(summary.level_counts) == 4
    write_mask_file(tmp_path / 'b.json', make(0))
    assert summarize_mask_file(tmp_path / 'b.json').level_counts == [0, 0, 0]


def test_a_failed_write_leaves_the_old_file(file):
    before = file.read_bytes()
    broken = make()
    broken.levels = [{1, 2}] * 4  # JSON knows no sets
    with pytest.raises(TypeError):
        write_mask_file(file, broken)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize('read', [read_mask_file, summarize_mask_file])
def test_missing(tmp_path, read):
    with pytest.raises(UserInputError, match=r'gone\.json.*not there.*Make'):
        read(tmp_path / 'gone.json')


@pytest.mark.parametrize('read', [read_mask_file, summarize_mask_file])
def test_truncated_and_binary(file, read):
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(UserInputError, match=r'a\.json is damaged.*Delete'):
        read(file)
    file.write_bytes(b'\x93NUMPY\xff\x00')
    with pytest.raises(UserInputError, match='is damaged'):
        read(file)


@pytest.mark.parametrize('read', [read_mask_file, summarize_mask_file])
@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ([1, 2], 'found another JSON file'),
        ({'image': {}, 'annotations': []}, 'found another JSON file'),
        ({'format': 'other'}, "format 'other'"),
        ({'format': 'mmfmwsss-sam-masks', 'version': 9}, 'version 9'),
        ({'format': 'mmfmwsss-sam-masks', 'version': 1}, 'damaged.*KeyError'),
    ],
)
def test_other_formats(file, read, content, message):
    file.write_text(json.dumps(content))
    with pytest.raises(UserInputError, match=message):
        read(file)


@pytest.mark.parametrize(
    ('key', 'value'), [('area', 3), ('counts', 'zzzz~~~'), ('counts', '')]
)
def test_damaged_mask(file, key, value):
    content = json.loads(file.read_text())
    content['masks'][1][key] = value
    file.write_text(json.dumps(content))
    with pytest.raises(UserInputError, match='is damaged'):
        read_mask_file(file)


def replaced(old, new):
    return lambda text: text.replace(old, new, 1)


@pytest.mark.parametrize('read', [read_mask_file, summarize_mask_file])
@pytest.mark.parametrize(
    'change',
    [
        replaced('[20, 30]', '[1000000000, 1000000000]'),
        replaced('[20, 30]', '[50000, 50000]'),
        replaced('[20, 30]', '[20.0, 30]'),
        replaced('[20, 30]', '[-20, -30]'),
        replaced('[20, 30]', '[true, 600]'),
        replaced('[20, 30]', '"ab"'),
        replaced('[20, 30]', '[1e999, 30]'),
        replaced('[20, 30]', '[' + '9' * 5000 + ', 30]'),
        replaced('"level": ', '"level": 7'),
        replaced('"level": ', '"level": -'),
        replaced('"level": ', '"level": 0.'),
        replaced('"masks": [', '"masks": ' + '[' * 100_000),
        replaced('"area": ', '"area": Infinity, "x": '),
        replaced('"area": ', '"area": NaN, "x": '),
        replaced('"settings"', '"size"'),
        lambda text: text.replace('}', '\0}'),
    ],
)
def test_hostile_files_are_refused_before_memory_is_taken(file, read, change):
    text = change(file.read_text())
    file.write_bytes(text.encode('latin1'))
    with pytest.raises(UserInputError, match=r'a\.json is damaged.*Delete'):
        read(file)


@pytest.mark.parametrize(
    'change',
    [
        replaced('"area": ', '"area": 1e999, "x": '),
        replaced('"predicted_iou": ', '"predicted_iou": 1e999, "x": '),
        replaced('"predicted_iou": ', '"predicted_iou": "1", "x": '),
        replaced('"stability_score": ', '"stability_score": null, "x": '),
        replaced('"counts": "', '"counts": ["a"], "x": "'),
        replaced('"counts": "', '"counts": "oooooooooo0'),
    ],
)
def test_hostile_masks_are_refused(file, change):
    file.write_text(change(file.read_text()))
    with pytest.raises(UserInputError, match=r'a\.json is damaged.*Delete'):
        read_mask_file(file)


def test_the_example_of_the_documentation(tmp_path):
    text = DOCUMENT.read_text()
    example = re.search(r'```json\n(.*?)```', text, re.S).group(1)
    (tmp_path / 'a.json').write_text(example)
    masks = SAMMasks.load(tmp_path / 'a.json')
    left = np.zeros((4, 6), bool)
    left[:, :3] = True
    upper = left.copy()
    upper[2:] = False
    np.testing.assert_array_equal(masks.masks, np.stack([left, upper]))
    assert masks.levels.tolist() == [2, 1]
    content = json.loads(example)
    masks.save(tmp_path / 'b.json', content['settings'], content['source'])
    written = json.loads((tmp_path / 'b.json').read_text())
    for ours, theirs in zip(written['masks'], content['masks'], strict=True):
        assert ours == pytest.approx(theirs)  # scores are float32
    changing = dict(masks=0, digest=0)  # the digest is of the scores, too
    assert written | changing == content | changing
    assert summarize_mask_file(tmp_path / 'a.json').is_intact
    # Every field is in the table, and nothing else.
    fields = re.findall(r'^\| `(\w+)` \|', text, re.M)
    assert fields == [*content, *content['masks'][0]]


@pytest.mark.parametrize(
    ('key', 'value'), [('counts', '0'), ('area', 7), ('level', 2)]
)
def test_an_edited_file_is_not_intact(tmp_path, key, value):
    file = tmp_path / 'a.json'
    record = make()
    record.levels = [0, 0, 1, 2]
    record.source = 'def'
    write_mask_file(file, record, 'abc')
    assert read_mask_file(file).source == 'def'
    summary = summarize_mask_file(file)
    assert (summary.source, summary.is_intact) == ('def', True)
    content = json.loads(file.read_text())
    assert content['masks'][0][key] != value
    content['masks'][0][key] = value
    file.write_text(json.dumps(content))
    assert not summarize_mask_file(file).is_intact


def test_a_file_of_an_earlier_release_is_read(tmp_path):
    file = tmp_path / 'a.json'
    record = make()
    record.source = 'def'
    write_mask_file(file, record, 'abc')
    content = json.loads(file.read_text())
    del content['source'], content['digest']
    file.write_text(json.dumps(content))
    assert len(read_mask_file(file).levels) == 4
    summary = summarize_mask_file(file)
    assert (summary.source, summary.is_intact) == ('', False)
