# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Names of files by hand, against a walk by pathlib, and outside."""

import os
from pathlib import Path

import pytest

from mmfmwsss.datasets.image_files import (
    FileFinder,
    bare_name,
    list_images,
    names_in,
    path_below,
    suffixes_of,
    walk_files,
)
from mmfmwsss.utils import UserInputError

FILES = ['b.jpg', 'a/c.JPG', 'a/b/d.png', 'a.txt', '.x/e.jpg', 'a/.f.jpg']


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file in FILES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    return tmp_path


def test_one_suffix_or_several() -> None:
    assert suffixes_of('.jpg') == suffixes_of(['.jpg']) == ('.jpg',)


@pytest.mark.parametrize(
    ('listed', 'found'),
    [
        ('a/b.jpg', 'a/b.jpg'),
        ('./a//b.jpg', 'a/b.jpg'),
        ('c/../a/b.jpg', 'a/b.jpg'),
        ('{folder}/a/b.jpg', 'a/b.jpg'),
        ('..a/b', '..a/b'),
    ],
)
def test_paths_below(listed: str, found: str, tmp_path: Path) -> None:
    listed = listed.format(folder=tmp_path)
    assert path_below(tmp_path, listed) == found


@pytest.mark.parametrize(
    'listed', ['../b', 'a/../..', '.', '/', '{folder}b/c']
)
def test_paths_outside(listed: str, tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match='outside'):
        path_below(tmp_path, listed.format(folder=tmp_path))


def test_walk_is_pathlibs_without_what_is_hidden(folder: Path) -> None:
    found = list(walk_files(folder))
    parts = [p.relative_to(folder) for p in folder.rglob('*') if p.is_file()]
    assert sorted(found) == sorted(
        part.as_posix()
        for part in parts
        if not any(name.startswith('.') for name in part.parts)
    )
    assert found == ['a.txt', 'b.jpg', 'a/c.JPG', 'a/b/d.png']
    with pytest.raises(OSError, match='none'):
        list(walk_files(folder / 'none'))


def test_links_that_lead_in_circles_end(folder: Path) -> None:
    before = set(walk_files(folder))
    os.symlink(folder, folder / 'a' / 'again')
    assert set(walk_files(folder)) == before


def test_pictures_have_a_suffix_in_any_case(folder: Path) -> None:
    assert list_images(folder, ['.JPG']) == ['a/c.JPG', 'b.jpg']
    both = list_images(folder, ['.png', '.jpg'])
    assert both == ['a/b/d.png', 'a/c.JPG', 'b.jpg']
    with pytest.raises(UserInputError, match=r'\.bmp.*none of its 4 files'):
        list_images(folder, ['.bmp'])
    with pytest.raises(UserInputError, match='none, but there is none'):
        list_images(folder / 'none', ['.jpg'])
    with pytest.raises(UserInputError, match='could not read it'):
        list_images(folder / 'b.jpg', ['.jpg'])  # no folder


def test_a_folder_is_listed_once(folder: Path) -> None:
    finder = FileFinder()
    assert finder(folder / 'a/c.JPG') and not finder(folder / 'a/c.jpg')
    assert not finder(folder / 'none/c.jpg')
    assert finder.names(folder / 'a') == {'b', 'c.JPG', '.f.jpg'}
    # What comes later is not seen, and not asked for
    (folder / 'a' / 'new.jpg').touch()
    assert not finder(folder / 'a/new.jpg')
    assert FileFinder()(folder / 'a/new.jpg')


def test_bare_names() -> None:
    assert bare_name('a/b.JPG') == 'a/b'
    assert bare_name('a\\b.c') == 'a/b.c'
    with pytest.raises(UserInputError, match='outside'):
        bare_name('a/../../b')


def test_names_in_a_folder_and_not_in_the_output_inside_it(
    tmp_path: Path,
) -> None:
    for file in ('a.json', 'k/b.json', 'out/a.json', '.a.x.json', 'c.txt'):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    assert names_in(tmp_path, '.json') == ['a', 'k/b', 'out/a']
    assert names_in(tmp_path, '.json', tmp_path / 'out') == ['a', 'k/b']
    assert names_in(tmp_path / 'none', '.json') == []
