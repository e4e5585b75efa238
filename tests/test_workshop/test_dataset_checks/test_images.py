# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""One picture and its mask, case by case."""

import numpy as np
import pytest
from PIL import Image

from mmfmwsss.utils.palette_png import write_palette_png
from mmfmwsss.workshop.dataset_checks import (
    KINDS,
    Finding,
    ImageFiles,
    check_image,
    findings_table,
    stops_a_run,
)

CLASSES = ('cat', 'dog', 'cow', 'mug')


@pytest.fixture
def case(tmp_path):
    photo = tmp_path / 'a.jpg'
    Image.new('RGB', (12, 8), (9, 90, 200)).save(photo)

    def check(mask, **kwargs):
        write_palette_png(tmp_path / 'a.png', np.asarray(mask, np.uint8))
        seg_map = str(tmp_path / 'a.png')
        return check_image(ImageFiles(str(photo), CLASSES, seg_map, **kwargs))

    return check


def body():
    """A cat of 3 x 3 pixels, the smallest that is no border."""
    labels = np.zeros((8, 12), np.uint8)
    labels[2:5, 2:5] = 1
    return labels


def test_nothing_is_wrong(case):
    found = case(body(), labels=('cat',), needs_label=True)
    assert found == ([], (8, 12), (0, 1), ('cat',), CLASSES)


@pytest.mark.parametrize(('rims', 'blended'), [(2, False), (3, True)])
def test_thin_lines_of_three_labels_look_blended(case, rims, blended):
    labels = body()
    labels[7, :] = 255  # VOC has thin lines of it at every object
    for i in range(rims):
        labels[2:5, 6 + 2 * i] = 2 + i
    kinds = [finding.kind for finding in case(labels).findings]
    assert kinds == ['mask looks blended'] * blended


def test_first_unknown_label_is_one_above_the_classes(case):
    labels = body()
    labels[2:5, 6:9] = 4
    assert case(labels).findings == []
    labels[2:5, 6:9] = 5
    (finding,) = case(labels).findings
    assert finding.kind == 'mask has unknown label'
    assert '[5], expected up to 4' in finding.example


def test_labels(case):
    (finding,) = case(body(), labels=('dog',)).findings
    assert finding.kind == 'mask and labels disagree'
    assert finding.example.endswith('cat, but labelled dog')
    kinds = [f.kind for f in case(body(), labels=(), needs_label=True)[0]]
    assert kinds == ['image without label', 'mask and labels disagree']
    assert case(np.zeros((8, 12)), labels=()).findings == []


def test_other_files(tmp_path):
    photo, mask = tmp_path / 'a.jpg', tmp_path / 'a.png'
    photo.write_bytes(b'GIF89a and no more')
    mask.write_bytes(b'')
    found = check_image(ImageFiles(str(photo), CLASSES, str(mask)))
    assert [f.kind for f in found.findings] == [
        'image damaged',
        'mask damaged',
    ]
    assert found.size is None


def test_table():
    findings = [
        Finding('name has a space', 'a b'),
        Finding('mask damaged', 'x.png'),
        Finding('mask damaged', 'y.png'),
    ]
    assert stops_a_run(findings)
    assert not stops_a_run(findings[:1])
    lines = [
        line
        for line in findings_table(findings).splitlines()
        if any(kind in line for kind in KINDS)
    ]
    assert [line.split('|')[3].strip() for line in lines] == ['2', '1']
    assert 'x.png' in lines[0]
