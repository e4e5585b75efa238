# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Image-level labels from text, CSV, JSON and XML, and what is refused."""

import numpy as np
import pytest

import mmfmwsss  # noqa: F401  readies mmcv
from mmfmwsss.datasets import (
    labels_to_array,
    read_image_labels,
    read_image_list,
    read_voc_xml,
)
from mmfmwsss.datasets.image_labels import read_voc_folder
from mmfmwsss.utils import UserInputError

CLASSES = ('person', 'traffic light', 'traffic light pole', 'dog')
EXPECTED = {
    'a': ('person', 'dog'),
    'b c': ('traffic light', 'dog'),
    'd': (),
}


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        ('spaces.txt', 'a person dog person\n\n"b c" traffic light dog\nd\n'),
        ('joined.txt', 'a person dog\n"b c" traffic_light dog\nd'),
        ('tabs.txt', 'a\tperson\tdog\nb c\ttraffic light\tdog\nd\n'),
        ('wide.csv', 'image,labels\na,person,dog\nb c,traffic light,dog\nd,'),
        ('long.csv', 'a,person\na,dog\nb c,traffic light\nb c,dog\nd,\n'),
        (
            'map.json',
            '{"a": ["person", "dog"], "b c": ["traffic light", "dog"],'
            '"d": []}',
        ),
        (
            'list.json',
            '[{"image": "a", "labels": ["person", "dog"]},'
            '{"file_name": "b c", "classes": ["traffic light", "dog"]},'
            '{"name": "d", "tags": []}]',
        ),
    ],
)
def test_all_formats_say_the_same(tmp_path, name, text):
    file = tmp_path / name
    file.write_text(text, encoding='utf-8-sig')
    assert read_image_labels(file, CLASSES) == EXPECTED


def test_longest_class_name_wins(tmp_path):
    file = tmp_path / 'x.txt'
    file.write_text('a traffic light pole dog\n')
    labels = read_image_labels(file, CLASSES)
    assert labels == {'a': ('traffic light pole', 'dog')}


def test_unknown_class_names_line_and_close_match(tmp_path):
    file = tmp_path / 'labels.txt'
    file.write_text('a person\nb Dogg\nc Dogg\n')
    with pytest.raises(UserInputError) as error:
        read_image_labels(file, CLASSES)
    message = str(error.value)
    for part in ('4 classes', 'labels.txt', 'line 2', "(b) has 'Dogg'"):
        assert part in message
    assert '2 such name(s)' in message
    assert "Did you mean 'dog'?" in message
    file.write_text('a zebra\n')
    with pytest.raises(UserInputError, match='The classes are person'):
        read_image_labels(file, CLASSES)


@pytest.mark.parametrize(
    ('name', 'text', 'message'),
    [
        ('x.txt', 'a dog\na person\n', 'a is there again on line 2'),
        ('x.txt', '\n', 'it has none'),
        ('x.json', '{"a": ["dog"], "a": ["dog"]}', "'a' is there twice"),
        ('x.json', '{"a": ["dog"]', 'Expected JSON'),
        ('x.json', '{"a": "dog"}', 'entry 1'),
        ('x.json', '[{"image": "a"}]', 'entry 1'),
        ('x.json', '3', 'a list or an object'),
        ('x.json', '[]', 'it has none'),
        ('x.csv', 'image,label\n', 'it has none'),
    ],
)
def test_wrong_files_are_refused(tmp_path, name, text, message):
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(UserInputError, match=message):
        read_image_labels(file, CLASSES)


def test_missing_and_binary_files(tmp_path):
    with pytest.raises(UserInputError, match='not there'):
        read_image_labels(tmp_path / 'none.txt', CLASSES)
    (tmp_path / 'x.txt').write_bytes(b'\xff\xfe\x00')
    with pytest.raises(UserInputError, match='UTF-8'):
        read_image_labels(tmp_path / 'x.txt', CLASSES)


def _xml(*names, difficult=0):
    objects = ''.join(
        f'<object><name>{n}</name><difficult>{difficult}</difficult>'
        '<part><name>head</name></part></object>'
        for n in names
    )
    return f'<annotation><filename>x.jpg</filename>{objects}</annotation>'


def test_voc_xml_counts_each_class_once_and_keeps_difficult(tmp_path):
    file = tmp_path / 'x.xml'
    file.write_text(_xml('dog', 'person', 'dog', difficult=1))
    assert read_voc_xml(file, CLASSES) == ('dog', 'person')
    file.write_text(_xml())
    assert read_voc_xml(file, CLASSES) == ()


def test_voc_xml_refusals(tmp_path):
    file = tmp_path / 'x.xml'
    file.write_text(_xml('dgo'))
    with pytest.raises(UserInputError, match=r"x\.xml.*Did you mean 'dog'"):
        read_voc_xml(file, CLASSES)
    file.write_text('<annotation>')
    with pytest.raises(UserInputError, match='not XML'):
        read_voc_xml(file, CLASSES)
    with pytest.raises(UserInputError, match=r'1 are missing, e\.g\. .*y.xml'):
        read_voc_folder(tmp_path, ['x', 'y'], CLASSES)


def test_image_list(tmp_path):
    file = tmp_path / 'train.txt'
    file.write_text(
        'a\n\nb c \n/JPEGImages/2007_1.jpg /SegmentationClassAug/2007_1.png\n'
    )
    assert read_image_list(file) == ['a', 'b c', '2007_1']
    file.write_text('a\nb\na\n')
    with pytest.raises(UserInputError, match='lines 1 and 3'):
        read_image_list(file)
    file.write_text('\n')
    with pytest.raises(UserInputError, match='it is empty'):
        read_image_list(file)
    with pytest.raises(UserInputError, match='not there'):
        read_image_list(tmp_path / 'none.txt')


def test_labels_to_array():
    found = labels_to_array(('dog', 'person'), CLASSES)
    assert found.dtype == np.bool_
    assert found.tolist() == [True, False, False, True]
    assert not labels_to_array((), CLASSES).any()
