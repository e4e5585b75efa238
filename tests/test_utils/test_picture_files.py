# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Whole pictures and cut ones: segments by hand, every cut of real files."""

import io
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmfmwsss.utils import UserInputError, picture_files
from mmfmwsss.utils.picture_files import (
    is_complete_image,
    open_picture,
    read_picture_bytes,
)


def segment(code: int, content: bytes) -> bytes:
    return bytes([255, code]) + (len(content) + 2).to_bytes(2, 'big') + content


START, END = b'\xff\xd8', b'\xff\xd9'
APP, TABLE = segment(0xE1, b'Exif'), segment(0xC4, b'table')
SCAN = segment(0xDA, b'head') + b'\x12\xff\x00\x34\xff\xd3\x56'


@pytest.mark.parametrize(
    ('data', 'whole'),
    [
        (START + APP + SCAN + END, True),
        (START + APP + SCAN + END + b'a film', True),
        (START + APP + SCAN, False),
        # a thumbnail in a segment has an end of its own
        (START + segment(0xE1, START + SCAN + END) + SCAN, False),
        (START + segment(0xE1, START + SCAN + END) + SCAN + END, True),
        # a progressive picture has several scans
        (START + SCAN + TABLE + SCAN + END, True),
        (START + SCAN + TABLE + SCAN, False),
        # no pixels at all; a segment that reaches behind the end
        (START + APP + END, False),
        (START + APP + SCAN + b'\xff\xc4\x00\x50' + END, False),
        # another picture, or a film, in place of the rest
        (START + SCAN + START + APP + SCAN + END, False),
        (START + SCAN + b'\x00\x00\x00\x18ftypmp42' + END, False),
        (START, False),
        (b'', False),
        (b'GIF89a', True),
    ],
)
def test_jpegs_by_hand(data: bytes, whole: bool) -> None:
    assert is_complete_image(data) is whole


def chunk(name: bytes, content: bytes = b'') -> bytes:
    size = len(content).to_bytes(4, 'big')
    return (
        size + name + content + zlib.crc32(name + content).to_bytes(4, 'big')
    )


def test_pngs_by_hand() -> None:
    start = b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', b'0' * 13)
    whole = start + chunk(b'IDAT', b'pixels') + chunk(b'IEND')
    assert is_complete_image(whole) and is_complete_image(whole + b'more')
    assert not is_complete_image(start + chunk(b'IDAT', b'pixels'))
    # A wrong sum counts for pixels, not for a text
    assert not is_complete_image(whole.replace(b'pixels', b'pixelz'))
    text = chunk(b'tEXt', b'words').replace(b'words', b'wordz')
    assert is_complete_image(start + text + chunk(b'IEND'))
    assert not is_complete_image(start + b'\0\0\0\0' + b'12345678' + whole)


def encode(kind: str, **options: object) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 13, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    'make',
    [
        lambda: encode('PNG'),
        lambda: encode('JPEG'),
        lambda: encode('JPEG', progressive=True, restart_marker_blocks=1),
    ],
    ids=['png', 'jpeg', 'progressive'],
)
def test_every_cut_of_a_real_file_is_seen(make: Callable[[], bytes]) -> None:
    data = make()
    assert is_complete_image(data)
    cut = [n for n in range(len(data)) if is_complete_image(data[:n])]
    # Fewer bytes than the first of a format may be another format's
    assert [n for n in cut if n > 3] == []


def test_files_are_read_if_they_are_there_and_small_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / 'a.png'
    with pytest.raises(UserInputError, match=r'a\.png'):
        read_picture_bytes(path)
    path.write_bytes(encode('PNG'))
    assert read_picture_bytes(path) == encode('PNG')
    monkeypatch.setattr(picture_files, 'MAX_PICTURE_BYTES', 10)
    with pytest.raises(UserInputError, match=r'a\.png'):
        read_picture_bytes(path)


def test_headers_are_checked_before_pixels() -> None:
    with open_picture(encode('PNG'), 'a.png') as picture:
        assert picture.size == (13, 9)
    frames = [Image.new('L', (4, 4), shade) for shade in (0, 99)]
    stream = io.BytesIO()
    frames[0].save(stream, 'GIF', save_all=True, append_images=frames[1:])
    for data, message in (
        (stream.getvalue(), 'several frames'),
        (b'%!PS-Adobe-3.0 EPSF-3.0', 'no picture'),
        (b'\0\0\0\x18ftypheic', 'HEIC, which is not read'),
        (encode('PNG')[:20], 'complete picture'),
    ):
        with (
            pytest.raises(UserInputError, match=message),
            open_picture(data, 'a.png'),
        ):
            pass
