# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pictures and labels of a folder by hand; the sources say the same."""

from pathlib import Path
from typing import Any

import pytest

from mmfmwsss.datasets.image_folder import ImageFile
from mmfmwsss.datasets.image_label_source import (
    ImageLabelSource,
    annotation_names,
)
from mmfmwsss.utils import UserInputError

CLASSES = ('cat', 'dog')
XML = '<annotation><object><name>{}</name></object></annotation>'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for file in ('photos/k/a.jpg', 'photos/b.jpg', 'photos/c.jpg'):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    (tmp_path / 'labels.txt').write_text('b dog\nk/a.jpg cat dog\n')
    (tmp_path / 'list.txt').write_text('c\nb\n')
    (tmp_path / 'xml').mkdir()
    (tmp_path / 'xml' / 'b.xml').write_text(XML.format('dog'))
    (tmp_path / 'xml' / 'a.xml').write_text(XML.format('cat'))
    return tmp_path


def read(root: Path, **files: str) -> dict[str, tuple[str, ...]]:
    named = ('image_list', 'label_file', 'xml_dir')
    paths: dict[str, Any] = {
        name: str(root / files[name]) if name in files else None
        for name in named
    }
    source = ImageLabelSource(
        str(root / 'photos'), image_suffixes=('.jpg',), **paths
    )
    return {i.image.name: i.classes for i in source.read(CLASSES)}


def test_each_source_by_hand(root: Path) -> None:
    # Pictures come in the order of the list, then of the labels
    assert list(read(root, label_file='labels.txt').items()) == [
        ('b', ('dog',)),
        ('k/a', ('cat', 'dog')),
    ]
    both = read(root, image_list='list.txt', label_file='labels.txt')
    assert list(both.items()) == [('c', ()), ('b', ('dog',))]
    # The flat annotation of a picture in a sub-folder is found
    assert read(root, xml_dir='xml') == {'b': ('dog',), 'k/a': ('cat',)}
    assert read(root) == {'b': (), 'c': (), 'k/a': ()}


def test_annotations_say_what_the_same_rows_say(root: Path) -> None:
    (root / 'labels.txt').write_text('k/a cat\nb dog\n')
    rows = read(root, label_file='labels.txt')
    assert read(root, xml_dir='xml') == rows


def test_two_sources_or_none_are_refused(root: Path) -> None:
    with pytest.raises(UserInputError, match='got both'):
        read(root, label_file='labels.txt', xml_dir='xml')
    (root / 'empty').mkdir()
    with pytest.raises(UserInputError, match='there are none'):
        read(root, xml_dir='empty')


def test_two_rows_on_one_picture_are_refused(root: Path) -> None:
    (root / 'labels.txt').write_text('b dog\nb.jpg cat\n')
    with pytest.raises(UserInputError, match=r"once.*twice|twice.*'b\.jpg'"):
        read(root, image_list='list.txt', label_file='labels.txt')


def test_annotations_lie_below_or_side_by_side(tmp_path: Path) -> None:
    for name in ('k/a', 'a', 'b', 'c'):
        path = tmp_path / f'{name}.xml'
        path.parent.mkdir(exist_ok=True)
        path.touch()
    images = [
        ImageFile(name, f'{name}.jpg')
        for name in ('k/a', 'm/a', 'm/b', 'm/c', 'n/c', 'm/d')
    ]
    assert annotation_names(tmp_path, images) == {
        'k/a.jpg': 'k/a',
        # a.xml may be of either a, c.xml of either c, and d has none
        'm/a.jpg': 'm/a',
        'm/b.jpg': 'b',
        'm/c.jpg': 'm/c',
        'n/c.jpg': 'n/c',
        'm/d.jpg': 'm/d',
    }
