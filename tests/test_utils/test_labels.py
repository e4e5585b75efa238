# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Numbers of labels, against mmseg's own transform."""

import numpy as np
import pytest
from mmseg.datasets.transforms import LoadAnnotations
from PIL import Image

from mmfmwsss.utils.labels import IGNORE_LABEL, renumber_labels

LABELS = np.arange(256, dtype=np.uint8).reshape(16, 16)


def by_mmseg(folder, label_map, reduce_zero_label):
    Image.fromarray(LABELS).save(folder / 'labels.png')
    results = LoadAnnotations(imdecode_backend='pillow')(
        dict(
            seg_map_path=str(folder / 'labels.png'),
            label_map=label_map,
            reduce_zero_label=reduce_zero_label,
            seg_fields=[],
        )
    )
    return results['gt_seg_map']


@pytest.mark.parametrize('reduce_zero_label', [False, True])
@pytest.mark.parametrize(
    'label_map',
    [None, {0: 1, 1: 0}, {0: 0, 1: IGNORE_LABEL, 2: 1}, {3: 2, 2: 3}],
    ids=['none', 'swapped', 'some', 'others'],
)
def test_equals_mmsegs(tmp_path, label_map, reduce_zero_label):
    renumbered = renumber_labels(LABELS, label_map, reduce_zero_label)
    assert renumbered.dtype == np.uint8
    expected = by_mmseg(tmp_path, label_map, reduce_zero_label)
    np.testing.assert_array_equal(renumbered, expected)


def test_by_hand():
    labels = np.array([[0, 1, 2, 255]], np.uint8)
    assert renumber_labels(labels, None).tolist() == labels.tolist()
    moved = renumber_labels(labels, {1: 2, 2: 1})
    assert moved.tolist() == [[0, 2, 1, 255]]
    reduced = renumber_labels(labels, None, reduce_zero_label=True)
    assert reduced.tolist() == [[255, 0, 1, 255]]


def test_nothing_to_renumber():
    assert renumber_labels(np.zeros((0, 3), np.uint8), {0: 1}).shape == (0, 3)
