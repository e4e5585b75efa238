# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Label maps on disk."""

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import (
    read_label_png,
    read_label_png_made_of,
    voc_palette,
    write_palette_png,
)


def test_voc_colours():
    palette = voc_palette()
    assert len(palette) == 256
    assert palette[:4] == [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0)]
    assert palette[15] == (192, 128, 128) and palette[255] == (224, 224, 192)


def test_round_trip(tmp_path):
    labels = np.random.default_rng(0).integers(0, 256, (5, 7))
    path = tmp_path / 'new' / 'a.png'
    write_palette_png(path, labels)
    np.testing.assert_array_equal(read_label_png(path), labels)
    with Image.open(path) as picture:
        assert picture.mode == 'P'
        assert picture.getpalette()[3:6] == [128, 0, 0]
    assert [p.name for p in path.parent.iterdir()] == ['a.png']


def test_own_palette_keeps_the_other_colours(tmp_path):
    path = tmp_path / 'a.png'
    write_palette_png(path, np.full((2, 2), 255), [[1, 2, 3], [4, 5, 6]])
    with Image.open(path) as picture:
        palette = picture.getpalette()
        assert picture.convert('RGB').getpixel((0, 0)) == (224, 224, 192)
    assert palette[:6] == [1, 2, 3, 4, 5, 6]


def test_reads_grey_maps(tmp_path):
    grey = np.array([[0, 7], [255, 20]], np.uint8)
    Image.fromarray(grey).save(tmp_path / 'grey.png')
    np.testing.assert_array_equal(read_label_png(tmp_path / 'grey.png'), grey)


def test_write_checks(tmp_path):
    with pytest.raises(ValueError, match=r'must be \(H, W\)'):
        write_palette_png(tmp_path / 'a.png', np.zeros((2, 2, 3)))
    with pytest.raises(ValueError, match=r'0\.\.255, got -1\.\.3'):
        write_palette_png(tmp_path / 'a.png', np.array([[-1, 3]]))
    assert not list(tmp_path.iterdir())


def test_read_checks(tmp_path):
    with pytest.raises(UserInputError, match='not there'):
        read_label_png(tmp_path / 'no.png')
    colour = tmp_path / 'colour.png'
    Image.fromarray(np.zeros((2, 2, 3), np.uint8)).save(colour)
    with pytest.raises(UserInputError, match="mode 'RGB'"):
        read_label_png(colour)
    write_palette_png(tmp_path / 'ok.png', np.zeros((50, 50)))
    half = tmp_path / 'half.png'
    half.write_bytes((tmp_path / 'ok.png').read_bytes()[:60])
    with pytest.raises(UserInputError, match='cannot be read'):
        read_label_png(half)


def test_a_map_that_need_not_be_made_again(tmp_path):
    labels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    path = tmp_path / 'a.png'
    write_palette_png(path, labels, made_of='one')
    first = path.read_bytes()
    assert (read_label_png(path) == labels).all()
    assert (read_label_png_made_of(path, 'one') == labels).all()
    assert read_label_png_made_of(path, 'two') is None
    assert read_label_png_made_of(path, '') is None
    write_palette_png(path, labels, made_of='one')
    assert path.read_bytes() == first
    # edited by a program that keeps the notes
    with Image.open(path) as picture:
        picture.load()
        notes = PngInfo()
        for key, text in picture.text.items():
            notes.add_text(key, text)
        picture.putpixel((0, 0), 9)
        picture.save(path, pnginfo=notes)
    assert read_label_png(path)[0, 0] == 9
    assert read_label_png_made_of(path, 'one') is None
    path.write_bytes(first[:-30])
    assert read_label_png_made_of(path, 'one') is None
    path.unlink()
    assert read_label_png_made_of(path, 'one') is None
    write_palette_png(path, labels)  # of an earlier release
    assert read_label_png_made_of(path, 'one') is None
