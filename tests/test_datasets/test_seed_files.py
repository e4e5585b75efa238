# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeds that are none, by hand; any seed of its picture is accepted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mmfmwsss.datasets.seed_files import check_seed, refuse_no_seeds
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import write_palette_png


def picture(path: Path, size: tuple[int, int], orientation: int = 1) -> str:
    """Write a photo of this height and width, turned by its Exif."""
    image = Image.fromarray(np.zeros((*size, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(path, exif=exif)
    return str(path)


def seed(path: Path, labels: NDArray[Any]) -> str:
    write_palette_png(path, labels)
    return str(path)


def test_headers_tell_what_is_no_seed(tmp_path: Path) -> None:
    good = [seed(tmp_path / f'{n}.png', np.zeros((2, 3))) for n in range(3)]
    grey = str(tmp_path / 'grey.png')
    Image.new('L', (3, 2)).save(grey)
    refuse_no_seeds([*good, grey], 'Make them again.')
    refuse_no_seeds([], '')
    colours = picture(tmp_path / 'colours.png', (2, 3))
    (tmp_path / 'text.png').write_text('no picture')
    text = str(tmp_path / 'text.png')
    with pytest.raises(
        UserInputError, match=r'2 of 5.*colours.*mode RGB.*Make them again\.'
    ):
        refuse_no_seeds([*good, colours, text], 'Make them again.')
    with pytest.raises(UserInputError, match=r'1 of 1 .*not readable'):
        refuse_no_seeds([text], '')


@pytest.mark.parametrize('orientation', range(1, 9))
def test_any_seed_of_the_upright_picture_is_accepted(
    orientation: int, tmp_path: Path
) -> None:
    photo = picture(tmp_path / 'a.jpg', (20, 30), orientation)
    labels = np.random.default_rng(0).choice([0, 1, 2, 255], (20, 30))
    # Orientations 5 to 8 lie on their side in the file
    turned = orientation >= 5
    right, wrong = (labels.T, labels) if turned else (labels, labels.T)
    check_seed(seed(tmp_path / 'a.png', right), photo, 3, '')
    with pytest.raises(UserInputError, match=r'of a?.*\(.*another picture'):
        check_seed(seed(tmp_path / 'b.png', wrong), photo, 3, '')


def test_labels_are_those_of_the_data_set(tmp_path: Path) -> None:
    photo = picture(tmp_path / 'a.jpg', (2, 2))
    file = seed(tmp_path / 'a.png', np.array([[0, 3], [255, 7]]))
    check_seed(file, photo, 8, '')
    with pytest.raises(UserInputError, match=r'0\.\.6.*label 7\. Mend it'):
        check_seed(file, photo, 7, 'Mend it.')


def test_a_picture_that_cannot_be_read_is_left_to_the_loader(
    tmp_path: Path,
) -> None:
    (tmp_path / 'a.jpg').write_text('no picture')
    file = seed(tmp_path / 'a.png', np.zeros((2, 2)))
    check_seed(file, str(tmp_path / 'a.jpg'), 2, '')
