# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Tables of labels as programs write them, and what is refused by name."""

import json

import pytest

from mmfmwsss.datasets import (
    get_class_prompts,
    read_image_labels,
    read_voc_xml,
)
from mmfmwsss.utils import UserInputError

CLASSES = ('person', 'traffic light', 'dog')
EXPECTED = {'a.jpg': ('person', 'dog'), 'b c.jpg': ('traffic light',), 'd': ()}
TABLES = {
    'commas': 'image,label\na.jpg,person,dog\nb c.jpg,traffic light\nd,\n',
    'semicolons': 'image;label\na.jpg;person;dog\nb c.jpg;traffic light\nd;\n',
    'tabs': 'image\tlabel\na.jpg\tperson\tdog\nb c.jpg\ttraffic light\nd\t\n',
    'quoted': 'a.jpg,"person, dog"\nb c.jpg,"traffic light"\nd,""\n',
    'mixed': 'name;tags\na.jpg;person,dog\nb c.jpg;traffic light\nd;\n',
    'bars': 'photo,tags\na.jpg,person|dog\nb c.jpg,traffic light\nd,\n',
    'for Excel': 'sep=;\na.jpg;person;dog\nb c.jpg;traffic light\nd;\n',
    'one-hot': (
        'image,person,traffic light,dog\na.jpg,1,0,1\nb c.jpg,0,1,0\nd,0,0,0\n'
    ),
    'one-hot of pandas': (
        ';dog;traffic_light;person\na.jpg;True;False;True\n'
        'b c.jpg;False;True;False\nd;False;False;False\n'
    ),
    'one-hot of Excel': '\tdog\ttraffic light\tperson\na.jpg\t1.0\t\t1\n'
    'b c.jpg\t\t1\t\nd\t0\t0\t0\n',
}


@pytest.mark.parametrize('name', TABLES)
@pytest.mark.parametrize('encoding', ['utf-8', 'utf-16'])
@pytest.mark.parametrize('end', ['\n', '\r\n'])
def test_tables_of_all_programs(tmp_path, name, encoding, end):
    text = TABLES[name].replace('\n', end)
    for suffix in ('.csv', '.tsv'):
        path = tmp_path / f'a{suffix}'
        path.write_bytes(text.encode(encoding))
        found = read_image_labels(path, CLASSES)
        assert {k: set(v) for k, v in found.items()} == {
            k: set(v) for k, v in EXPECTED.items()
        }


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('image,cat,dog\na,1,0\n', "got 'cat'"),
        ('image,dog,dog\na,1,0\n', 'twice'),
        ('image,person,dog\na,1\n', 'line 2'),
        ('image,person,dog\na,0.7,0\n', "has '0.7'"),
        ('0,a,dog\n', "has 'a'"),
        (',image,label\n0,a,dog\n', 'first cell of line 1'),
        ('a,"dog\n' + 'x' * 200_000, 'cannot be read'),
        ('a,' + 'x' * 200_000, 'cannot be read'),
        ('a,d\0g', 'NUL'),
        ('PK\x03\x04', 'workbook'),
    ],
)
def test_tables_that_are_wrong(tmp_path, text, message):
    (tmp_path / 'a.csv').write_text(text)
    with pytest.raises(UserInputError, match=message):
        read_image_labels(tmp_path / 'a.csv', CLASSES)


def test_text_with_a_giant_word(tmp_path):
    (tmp_path / 'a.txt').write_text('"' + 'x' * 200_000)
    with pytest.raises(UserInputError, match='line 1'):
        read_image_labels(tmp_path / 'a.txt', CLASSES)
    (tmp_path / 'a.txt').write_text('""')
    with pytest.raises(UserInputError, match='line 1'):
        read_image_labels(tmp_path / 'a.txt', CLASSES)


COCO = {
    'images': [{'id': 1, 'file_name': 'a'}],
    'categories': [{'id': 1, 'name': 'dog'}],
    'annotations': [{'image_id': 1, 'category_id': 1}],
}


@pytest.mark.parametrize(
    'content',
    [
        {'version': '5.0', 'shapes': [], 'imagePath': 'a.jpg'},
        [{'data': {'image': 'a'}, 'annotations': []}],
        {'a': {'dog': 1}},
        {'a': [['dog']]},
        [[['a'], ['dog']]],
        [{'image': ['a'], 'labels': ['dog']}],
        3,
        None,
        {**COCO, 'categories': [{'id': 1, 'name': ['dog']}]},
        {**COCO, 'images': [{'id': 1, 'file_name': ['a']}]},
        {**COCO, 'images': [{'id': 1, 'file_name': 7}]},
        {**COCO, 'images': [{'id': [1], 'file_name': 'a'}]},
        {**COCO, 'annotations': 'abc'},
        {**COCO, 'annotations': [None]},
        {**COCO, 'images': None},
    ],
)
def test_json_of_another_shape(tmp_path, content):
    (tmp_path / 'a.json').write_text(json.dumps(content))
    with pytest.raises(UserInputError, match=r'a\.json'):
        read_image_labels(tmp_path / 'a.json', CLASSES)


@pytest.mark.parametrize(
    'text', ['[' * 100_000, '{"a": NaN}', '{"a": [], "a": []}', '\ufeff']
)
def test_hostile_json(tmp_path, text):
    (tmp_path / 'a.json').write_text(text)
    with pytest.raises(UserInputError, match=r'a\.json'):
        read_image_labels(tmp_path / 'a.json', CLASSES)


@pytest.mark.parametrize(
    'text',
    [
        '<!DOCTYPE a [<!ENTITY x "' + 'y' * 99 + '">]><annotation>&x;'
        '</annotation>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        '<annotation><object><name>&x;</name></object></annotation>',
        '<!DOCTYPE a SYSTEM "http://localhost/a.dtd"><annotation/>',
        '<annotation>&x;</annotation>',
        '<?xml version="1.0" encoding="none-such"?><annotation>',
        '<annotation>' + '<a>' * 100_000,
        '<annotation><object><name><b>dog</b></name></object></annotation>',
    ],
)
def test_hostile_xml(tmp_path, text):
    (tmp_path / 'a.xml').write_text(text)
    with pytest.raises(UserInputError, match=r'a\.xml'):
        read_voc_xml(tmp_path / 'a.xml', CLASSES)


@pytest.mark.parametrize(
    'text',
    [
        'classes: !!python/object/apply:os.mkdir [hacked]\nbackground: [a]',
        '!!python/object/apply:os.mkdir [hacked]',
        'classes: {dog: [[a]]}\nbackground: [wall]',
        'classes: {dog: {a: b}}\nbackground: [wall]',
        'classes: [[dog]]\nbackground: [wall]',
        'classes: [dog]\nbackground: {wall: 1}',
        'classes: {dog: , dog: }\nbackground: [wall]',
        'classes: [no, on]\nbackground: [wall]',
        'a: &a [x]\nclasses: [*a]\nbackground: [wall]',
    ],
)
def test_hostile_class_prompts(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'a.yaml').write_text(text)
    with pytest.raises(UserInputError, match=r'a\.yaml'):
        get_class_prompts(str(tmp_path / 'a.yaml'))
    assert [path.name for path in tmp_path.iterdir()] == ['a.yaml']
