# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Texts are read, or refused by name; nothing in them is executed."""

import pytest
import yaml

from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.text_files import read_json, read_text, read_yaml

TEXT = 'a,Kätzchen\nb,dog\n'


@pytest.mark.parametrize(
    'encoding', ['utf-8', 'utf-8-sig', 'utf-16', 'utf-32']
)
def test_encodings_with_a_mark(tmp_path, encoding):
    (tmp_path / 'a.csv').write_bytes(TEXT.encode(encoding))
    assert read_text(tmp_path / 'a.csv') == TEXT


@pytest.mark.parametrize(
    ('data', 'message'),
    [
        (TEXT.encode('cp1252'), 'UTF-8'),
        (TEXT.encode('utf-16-le'), 'UTF-8|NUL'),
        (b'a,b\nc,\0d', 'line 2 has a NUL'),
        (b'PK\x03\x04rest', r'workbook \(.xlsx'),
        (b'PAR1rest', 'Parquet'),
        (b'\xd0\xcf\x11\xe0rest', r'\.xls'),
        (b'\x89PNG\r\n', 'a PNG picture'),
    ],
)
def test_other_bytes_are_named(tmp_path, data, message):
    (tmp_path / 'a.csv').write_bytes(data)
    with pytest.raises(UserInputError, match=message):
        read_text(tmp_path / 'a.csv')


def test_no_file(tmp_path):
    for path in (tmp_path, tmp_path / 'none', '/dev/zero'):
        with pytest.raises(UserInputError, match='not there'):
            read_text(path)


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with open(tmp_path / 'a.json', 'wb') as file:
        file.truncate(2**40)  # takes no room
    for read in (read_text, read_json, read_yaml):
        with pytest.raises(UserInputError, match='it has 1,099,511,627,776'):
            read(tmp_path / 'a.json')


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('[' * 100_000, 'nested too deeply'),
        ('{"a":' * 100_000, 'nested too deeply'),
        ('[NaN]', 'got NaN'),
        ('[-Infinity]', 'got -Infinity'),
        ('{"a": 1, "a": 2}', "'a' is there twice"),
        ('{"a": {"b": 1, "c": 1, "b": 2}}', "'b' is there twice"),
        ('[1,]', 'line 1 is not'),
        ('9' * 5000, 'Expected JSON'),
        ('', 'line 1 is not'),
    ],
)
def test_hostile_json(tmp_path, text, message):
    (tmp_path / 'a.json').write_text(text)
    with pytest.raises(UserInputError, match=message):
        read_json(tmp_path / 'a.json')


def test_plain_json_and_yaml(tmp_path):
    file = tmp_path / 'a'
    file.write_text('{"a": [1, 2.5, null, "x"], "b": {"a": true}}')
    expected = {'a': [1, 2.5, None, 'x'], 'b': {'a': True}}
    assert read_json(file) == read_yaml(file) == expected
    file.write_text('a: &x [1, 2]\nb: *x\nc: {<<: {d: 1}, e: 2}\n')
    expected = {'a': [1, 2], 'b': [1, 2], 'c': {'d': 1, 'e': 2}}
    assert read_yaml(file) == expected


def laughs(first, step):
    lines = [f'a0: &a0 {first}']
    lines += [f'a{n}: &a{n} {step(n - 1)}' for n in range(1, 30)]
    return '\n'.join(lines)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('a: !!python/object/apply:os.system [touch hacked]', 'plain values'),
        ('!!python/object/new:type {}', 'plain values'),
        ('a: !!python/name:os.system', 'plain values'),
        ('a: !!python/module:os', 'plain values'),
        (laughs('x', lambda n: f'[{", ".join([f"*a{n}"] * 9)}]'), 'too many'),
        (
            laughs('{x: 1}', lambda n: f'{{<<: [{f"*a{n}, " * 9}]}}'),
            'too many',
        ),
        ('&a [*a]', 'too many|too deeply'),
        ('[' * 100_000, 'too deeply'),
        ('a: 1\nb: 2\na: 3', "'a' is there twice"),
        ('a: [1, 2', 'plain values'),
        ('a: 2001-13-45', 'plain values'),
        ('? [1]\n: 2', 'plain values'),
        ('a: 1\n---\nb: 2', 'plain values'),
        ('a: ' + '9' * 5000, 'plain values'),
    ],
)
def test_hostile_yaml(tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'a.yaml').write_text(text)
    with pytest.raises(UserInputError, match=message):
        read_yaml(tmp_path / 'a.yaml')
    assert [path.name for path in tmp_path.iterdir()] == ['a.yaml']


def test_the_hostile_yaml_does_run_elsewhere(tmp_path, monkeypatch):
    """So that the test above tests something."""
    monkeypatch.chdir(tmp_path)
    text = 'a: !!python/object/apply:os.mkdir [hacked]'
    yaml.load(text, Loader=yaml.UnsafeLoader)
    assert (tmp_path / 'hacked').is_dir()
