# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Masks are found by the image's name, and refused if they are not of it."""

from pathlib import Path

import pytest
import torch

import mmfmwsss  # noqa: F401  readies mmcv
from mmfmwsss.structures import WHOLE, SAMMasks
from mmfmwsss.structures.sam_mask_folder import SAMMaskFolder
from mmfmwsss.utils import UserInputError


@pytest.fixture
def folder(tmp_path: Path) -> SAMMaskFolder:
    masks = torch.zeros(1, 4, 6, dtype=torch.bool)
    masks[0, 1:3, 2:5] = True
    ones = torch.ones(1)
    (tmp_path / 'room').mkdir()
    SAMMasks(masks, torch.tensor([WHOLE]), ones, ones).save(
        tmp_path / 'room' / 'a.json'
    )
    return SAMMaskFolder(tmp_path, 'make masks')


def test_masks_of_an_image_in_a_sub_folder(folder: SAMMaskFolder) -> None:
    masks = folder.read('room/a', (4, 6), 'images/room/a.jpg')
    assert masks.masks[0].nonzero().tolist() == [
        [1, 2], [1, 3], [1, 4], [2, 2], [2, 3], [2, 4],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ('name', 'size', 'message'),
    [
        ('room/b', (4, 6), 'are not there. Make them with `make masks`'),
        ('room/a', (6, 4), 'another image had this name'),
    ],
)
def test_masks_that_are_not_of_the_image(
    folder: SAMMaskFolder, name: str, size: tuple[int, int], message: str
) -> None:
    with pytest.raises(UserInputError, match=message):
        folder.read(name, size, f'images/{name}.jpg')


def test_damaged_file_names_the_command(folder: SAMMaskFolder) -> None:
    (folder.mask_dir / 'room' / 'a.json').write_text('{"masks": ')
    with pytest.raises(UserInputError, match='run `make masks`'):
        folder.read('room/a', (4, 6), 'images/room/a.jpg')
