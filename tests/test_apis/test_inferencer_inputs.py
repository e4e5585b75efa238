# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Photos, tags and masks as users hold them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmfmwsss.apis.inferencer_inputs import (
    check_names,
    list_photos,
    masks_of,
    name_photos,
    open_masks,
    read_photo,
    tags_of,
)
from mmfmwsss.structures import as_sam_masks
from mmfmwsss.utils import UserInputError

RGB = np.array([[[10, 20, 30], [40, 50, 60]]], np.uint8)
MASK = np.ones((1, 2), bool)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ('b.png', 'a.PNG'):
        Image.fromarray(RGB).save(tmp_path / name)
    (tmp_path / 'notes.txt').touch()
    return tmp_path


def test_every_holder_gives_the_same_photo(folder: Path) -> None:
    turned = Image.fromarray(RGB[:, ::-1].copy())
    turned.getexif()[0x0112] = 2  # the camera mirrored it
    for photo in (
        folder / 'b.png',
        str(folder / 'b.png'),
        Image.fromarray(RGB),
        Image.open(folder / 'b.png'),
        turned,
        RGB[..., ::-1],
    ):
        np.testing.assert_array_equal(read_photo(photo), RGB)
    np.testing.assert_array_equal(read_photo(RGB, 'rgb'), RGB)
    grey = read_photo(RGB[..., 0])
    assert grey.shape == (1, 2, 3) and (grey == RGB[..., :1]).all()


@pytest.mark.parametrize(
    ('photo', 'message'),
    [
        (RGB / 255, r'ndarray of float64, \(1, 2, 3\)'),
        (np.zeros((1, 2, 4), np.uint8), r'uint8, \(1, 2, 4\)'),
        (None, 'got a NoneType'),
    ],
    ids=['float', 'alpha', 'none'],
)
def test_other_arrays_are_named(photo: object, message: str) -> None:
    with pytest.raises(UserInputError, match=message):
        read_photo(photo)
    with pytest.raises(UserInputError, match="'bgr' or 'rgb'.* 'gbr'"):
        read_photo(RGB, 'gbr')


def test_folders_stand_for_their_photos(folder: Path) -> None:
    photos = list_photos([str(folder), RGB, Image.open(folder / 'b.png')])
    assert photos[:2] == [folder / 'a.PNG', folder / 'b.png']
    assert name_photos(photos) == ['a', 'b', '00000002', 'b']
    with pytest.raises(UserInputError, match="several are called 'b'"):
        check_names(name_photos(photos))
    (folder / 'empty').mkdir()
    assert list_photos(folder.glob('b.*')) == [folder / 'b.png']
    with pytest.raises(UserInputError, match='but it has none'):
        list_photos(folder / 'empty')
    with pytest.raises(UserInputError, match='but got none'):
        list_photos([])


def test_tags_for_all_for_each_or_by_name() -> None:
    names = ['a', 'b']
    assert tags_of(None, names) == [None, None]
    assert tags_of(['cat'], names) == [['cat'], ['cat']]
    assert tags_of([['cat'], None], names) == [['cat'], None]
    assert tags_of({'b.jpg': ['dog']}, names) == [None, ['dog']]
    with pytest.raises(UserInputError, match='each of 2 photos, but got 3'):
        tags_of([None, None, None], names)
    with pytest.raises(UserInputError, match="got 'c', which is none"):
        tags_of({'c': ['dog']}, names)
    for tags in ('cat', [], [3], 3):
        with pytest.raises(UserInputError, match='Expected `tags` to be a'):
            tags_of(tags, names)


def test_masks_of_one_photo_or_of_each(tmp_path: Path) -> None:
    records = [dict(segmentation=MASK)] * 2
    stack = MASK[None]
    assert masks_of(None, ['a']) == [None]
    assert masks_of(records, ['a']) == [records]
    assert masks_of(stack, ['a'])[0] is stack
    flat = [MASK, MASK]
    assert masks_of(flat, ['a']) == [flat]
    assert masks_of([stack], ['a'])[0] is stack
    assert masks_of([records, []], ['a', 'b']) == [records, []]
    assert masks_of({'b': records}, ['a', 'b']) == [None, records]
    assert masks_of(tmp_path, ['a', 'b']) == [
        tmp_path / 'a.json',
        tmp_path / 'b.json',
    ]
    with pytest.raises(UserInputError, match='each of 2 photos, but got 1'):
        masks_of(stack, ['a', 'b'])


def test_mask_files_of_any_kind_are_read(tmp_path: Path) -> None:
    masks = as_sam_masks(MASK[None])
    masks.save(tmp_path / 'ours.json')
    runs = '[{"segmentation": {"size": [1, 2], "counts": [0, 2]}}]'
    (tmp_path / 'theirs.json').write_text(runs)
    (tmp_path / 'none.json').write_text('[]')
    for name in ('ours', 'theirs'):
        found = open_masks(tmp_path / f'{name}.json', (1, 2))
        assert found.masks.tolist() == [[[True, True]]]
    assert len(open_masks(tmp_path / 'none.json', (1, 2))) == 0
    with pytest.raises(UserInputError, match='not there'):
        open_masks(str(tmp_path / 'a.json'), (1, 2))
