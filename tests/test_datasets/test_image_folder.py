# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The identity of a picture: its path below the folder, whatever lists say."""

import unicodedata

import pytest

from mmfmwsss.datasets.image_folder import ImageFolder
from mmfmwsss.utils import UserInputError

FILES = [
    'kitchen/001.jpg', 'garden/001.JPG', 'kitchen/only.here.jpg', 'x.jpg',
    'x.png', 'photo.png.jpg', 'odd\\name.jpg', 'b.jpg', 'b.JPG', 'a.webp',
    '.hidden.jpg', 'kitchen/._001.jpg', '.trash/t.jpg', 'x.jpg.tmp',
    'notes.txt', 'one.gif',
]  # fmt: skip


@pytest.fixture
def root(tmp_path):
    for file in FILES:
        path = tmp_path / 'photos' / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / 'photos'


def test_all_pictures_below_the_folder_and_no_hidden_ones(root):
    assert ImageFolder(root, ['.jpg']).all() == [
        'b.JPG', 'b.jpg', 'garden/001.JPG', 'kitchen/001.jpg',
        'kitchen/only.here.jpg', 'odd\\name.jpg', 'photo.png.jpg', 'x.jpg',
    ]  # fmt: skip


def test_a_loop_of_links_ends_and_a_linked_folder_is_read(root, tmp_path):
    (root / 'loop').symlink_to(root)
    (tmp_path / 'far').mkdir()
    (tmp_path / 'far' / 'f.jpg').touch()
    (root / 'linked').symlink_to(tmp_path / 'far')
    found = ImageFolder(root, ['.jpg']).all()
    assert 'linked/f.jpg' in found
    assert len(found) == 9


@pytest.mark.parametrize(
    ('listed', 'found'),
    [
        ('kitchen/001.jpg', 'kitchen/001.jpg'),
        ('kitchen/001', 'kitchen/001.jpg'),
        ('kitchen/001.JPG', 'kitchen/001.jpg'),
        ('garden/001', 'garden/001.JPG'),
        ('kitchen\\001.jpg', 'kitchen/001.jpg'),
        ('.\\kitchen\\001', 'kitchen/001.jpg'),
        ('./garden/../kitchen/001', 'kitchen/001.jpg'),
        ('photos/kitchen/001', 'kitchen/001.jpg'),
        ('photos\\kitchen\\001.jpg', 'kitchen/001.jpg'),
        ('{root}/kitchen/001.jpg', 'kitchen/001.jpg'),
        ('only.here', 'kitchen/only.here.jpg'),
        ('only.here.jpg', 'kitchen/only.here.jpg'),
        ('photo.png', 'photo.png.jpg'),
        ('odd\\name', 'odd\\name.jpg'),
        ('x', 'x.jpg'),  # .png is not wanted
        ('x.png', 'x.png'),  # but may be named
        ('b.jpg', 'b.jpg'),
        ('b.JPG', 'b.JPG'),
        ('kitchen/002', None),
        ('x.jpeg', None),
        ('elsewhere/only.here', None),
        ('001.webp', None),
        ('notes.txt', None),
        ('notes', None),
    ],
)
def test_find(root, listed, found):
    folder = ImageFolder(root, ['.jpg'])
    assert folder.find(listed.format(root=root)) == found


@pytest.mark.parametrize('listed', ['001', '001.jpg', 'b'])
def test_a_name_of_two_pictures_is_refused(root, listed):
    with pytest.raises(UserInputError, match=f"'{listed}' names.*or"):
        ImageFolder(root, ['.jpg']).find(listed)
    with pytest.raises(UserInputError, match=r'x\.jpg or x\.png'):
        ImageFolder(root, ['.jpg', '.png']).find('x')


@pytest.mark.parametrize(
    'listed',
    ['../x.jpg', 'kitchen/../../x', '/etc/x.jpg', '..', '..\\..\\x.jpg', '.'],
)
def test_outside_of_the_folder_is_refused(root, listed):
    (root.parent / 'x.jpg').touch()
    with pytest.raises(UserInputError, match='outside'):
        ImageFolder(root, ['.jpg']).find(listed)


def test_accents_of_both_kinds(tmp_path):
    whole, apart = (
        unicodedata.normalize(form, 'café.jpg') for form in ('NFC', 'NFD')
    )
    (tmp_path / apart).touch()
    assert ImageFolder(tmp_path, ['.jpg']).find(whole) == apart


def test_find_all(root):
    folder = ImageFolder(root, ['.jpg', '.png'])
    images = folder.find_all(['garden/001', 'kitchen/001', 'x.png'], None)
    assert [image.name for image in images] == [
        'garden/001', 'kitchen/001', 'x',
    ]  # fmt: skip
    assert images[0].path == str(root / 'garden' / '001.JPG')
    with pytest.raises(UserInputError, match=r'2 listed.*1 of them.*no.*L'):
        folder.find_all(['a', 'x.jpg', 'no'][1:], 'L')
    with pytest.raises(UserInputError, match=r'x\.jpg and .*x\.png: .* x\. '):
        folder.find_all(['x.jpg', 'kitchen/001', 'x.png'], 'L')
    with pytest.raises(UserInputError, match='once in L.*twice'):
        folder.find_all(['kitchen/001', 'kitchen/001.jpg'], 'L')


def test_suffixes_that_are_longer_than_an_extension(tmp_path):
    (tmp_path / 'aachen').mkdir()
    (tmp_path / 'aachen' / 'a_left.png').touch()
    (tmp_path / 'aachen' / 'a_right.png').touch()
    folder = ImageFolder(tmp_path, ['_left.png'])
    assert folder.all() == ['aachen/a_left.png']
    assert folder.find('aachen/a') == 'aachen/a_left.png'
    # files of masks keep the names that they have always had
    assert folder.file('aachen/a_left.png').name == 'aachen/a_left'
