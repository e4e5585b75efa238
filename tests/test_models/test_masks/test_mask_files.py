# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Which mask files are finished: one change at a time makes them old."""

import json

import pytest
import torch

from mmfmwsss.models.masks.mask_files import (
    finished_level_counts,
    mask_report,
    settings_hash,
)
from mmfmwsss.structures import SAMMasks

SETTINGS, SOURCE = settings_hash(dict(points=16)), 'picture:1'


@pytest.fixture
def file(tmp_path):
    masks = SAMMasks(
        torch.ones(3, 2, 4, dtype=torch.bool),
        torch.tensor([2, 0, 2]),
        torch.ones(3),
        torch.ones(3),
    )
    path = tmp_path / 'a.json'
    masks.save(path, SETTINGS, SOURCE)
    return path


def test_a_current_file_tells_its_counts(file):
    assert finished_level_counts(file, SETTINGS, SOURCE) == [1, 0, 2]


def test_other_settings_or_pictures_make_it_old(file, tmp_path):
    other = settings_hash(dict(points=17))
    assert finished_level_counts(file, other, SOURCE) is None
    assert finished_level_counts(file, SETTINGS, 'picture:2') is None
    assert finished_level_counts(tmp_path / 'b', SETTINGS, SOURCE) is None


@pytest.mark.parametrize(
    ('key', 'value'), [('level', 1), ('predicted_iou', 0.5)]
)
def test_an_edited_file_is_old(file, key, value):
    content = json.loads(file.read_text())
    content['masks'][0][key] = value
    file.write_text(json.dumps(content))
    assert finished_level_counts(file, SETTINGS, SOURCE) is None


def test_a_damaged_file_is_old(file):
    file.write_text(file.read_text()[:-9])
    assert finished_level_counts(file, SETTINGS, SOURCE) is None


def test_the_order_of_settings_changes_no_hash():
    assert settings_hash(dict(a=1, b=2)) == settings_hash(dict(b=2, a=1))
    assert settings_hash(dict(a=1, b=2)) != settings_hash(dict(a=2, b=1))


def test_a_report_by_hand():
    assert mask_report('a', 'failed', reason='no picture') == dict(
        name='a', status='failed', reason='no picture', level_counts=[0, 0, 0]
    )
    assert mask_report('a', 'done', [1, 2, 3])['level_counts'] == [1, 2, 3]
