# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Label maps on disk."""

import struct
import zlib

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


def png_of_bits(width, height, rows, bits):
    """A grey PNG written by hand; each row begins with a 0."""

    def chunk(kind, data):
        total = zlib.crc32(kind + data)
        return (
            struct.pack('>I', len(data))
            + kind
            + data
            + total.to_bytes(4, 'big')
        )

    header = struct.pack('>IIBBBBB', width, height, bits, 0, 0, 0, 0)
    return (
        b'\x89PNG\r\n\x1a\n'
        + chunk(b'IHDR', header)
        + chunk(b'IDAT', zlib.compress(rows))
        + chunk(b'IEND', b'')
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


def save_grey(path, width, rows, bits):
    """A grey PNG of few bits, which Pillow spreads to 0..255."""
    numbers = ''.join(
        '0' * 8 + ''.join(f'{n:0{bits}b}' for n in row) for row in rows
    )
    data = int(numbers, 2).to_bytes(len(numbers) // 8, 'big')
    path.write_bytes(png_of_bits(width, len(rows), data, bits))


@pytest.mark.parametrize('bits', [1, 2, 4, 8])
def test_grey_of_few_bits_keeps_its_indices(tmp_path, bits):
    rows = [[n % 2**bits for n in range(16)], [2**bits - 1] * 16]
    save_grey(tmp_path / 'a.png', 16, rows, bits)
    assert read_label_png(tmp_path / 'a.png').tolist() == rows


def test_sixteen_bits_with_indices_of_eight(tmp_path):
    deep = np.array([[0, 7], [255, 20]], np.uint16)
    Image.fromarray(deep).save(tmp_path / 'a.png')
    found = read_label_png(tmp_path / 'a.png')
    assert found.dtype == np.uint8 and found.tolist() == deep.tolist()
    Image.fromarray(deep * 257).save(tmp_path / 'a.png')
    with pytest.raises(UserInputError, match=r'a\.png.*from 0 to 65535'):
        read_label_png(tmp_path / 'a.png')


@pytest.mark.parametrize('kind', ['JPEG', 'WEBP'])
def test_formats_that_blur_are_refused(tmp_path, kind):
    grey = Image.fromarray(np.zeros((8, 8), np.uint8))
    grey.save(tmp_path / 'a.png', kind)
    with pytest.raises(UserInputError, match=f'{kind}.*blurs class indices'):
        read_label_png(tmp_path / 'a.png')


def test_bombs_are_refused(tmp_path, bomb):
    (tmp_path / 'a.png').write_bytes(bomb)
    with pytest.raises(UserInputError, match=r'a\.png.*178,956,970 pixels'):
        read_label_png(tmp_path / 'a.png')


def test_bytes_behind_the_end_do_no_harm(tmp_path):
    path = tmp_path / 'a.png'
    write_palette_png(path, np.eye(4, dtype=int))
    path.write_bytes(path.read_bytes() + bytes(100))
    assert read_label_png(path).sum() == 4
