# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Photos of all kinds are read as a viewer shows them, or refused by name."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.limits import MAX_PIXELS
from mmfmwsss.utils.photos import decode_photo, photo_size, read_rgb
from mmfmwsss.utils.picture_files import is_complete_image

FILM = b'\0\0\0\x18ftypmp42' + b'\0' * 40 + b'\xff\xda' + b'\1' * 60
TAILS = {
    'film': FILM,
    'film with an end marker': FILM + b'\xff\xd9' + b'\2' * 30,
    'zeros': bytes(200),
    'text': b'MotionPhoto_Data' + FILM,
}


@pytest.fixture(scope='module')
def pixels():
    small = np.random.default_rng(0).integers(0, 256, (6, 10, 3))
    return cv2.resize(small.astype(np.uint8), (80, 48))


def encode(pixels, kind='JPEG', mode=None, **options):
    buffer = io.BytesIO()
    picture = Image.fromarray(pixels)
    if mode:
        picture = picture.convert(mode)
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def by_pillow(data):
    """Decoded on another way than ours, upright."""
    with Image.open(io.BytesIO(data)) as picture:
        upright = ImageOps.exif_transpose(picture)
        return np.asarray(upright.convert('RGB'))[..., ::-1]


def mpo(pixels):
    buffer = io.BytesIO()
    first = Image.fromarray(pixels)
    second = Image.fromarray(pixels[:20, :30])
    first.save(buffer, 'MPO', save_all=True, append_images=[second])
    return buffer.getvalue()


def jpegs(pixels):
    thumbnail = b'Exif\0\0' + encode(pixels[:8, :8])
    plain = encode(pixels)
    fill = plain.replace(b'\xff\xdb', b'\xff\xff\xff\xdb', 1)
    return {
        'plain': plain,
        'progressive': encode(pixels, progressive=True),
        'restart markers': encode(pixels, restart_marker_blocks=2),
        'thumbnail': encode(pixels, exif=thumbnail),
        'fill bytes': fill,
        'comment': encode(pixels, comment=b'\xff\xd9 no end \xff\xda'),
        'grey': encode(pixels[..., 0]),
        'cmyk': encode(pixels, mode='CMYK'),
        'two pictures': mpo(pixels),
    }


@pytest.mark.parametrize('tail', [None, *TAILS])
def test_jpegs_load_whatever_is_behind_their_end(pixels, tail):
    for name, data in jpegs(pixels).items():
        found = decode_photo(data + TAILS.get(tail, b''), 'a.jpg')
        error = np.abs(found.astype(int) - by_pillow(data)).max()
        assert error <= (1 if name == 'cmyk' else 0), name


@pytest.mark.parametrize('tail', [None, *TAILS])
@pytest.mark.parametrize('share', [0.3, 0.66, 0.95])
def test_jpegs_that_are_cut_off_are_refused(pixels, tail, share):
    for name, data in jpegs(pixels).items():
        if name == 'two pictures':
            continue
        cut = data[: int(len(data) * share)] + TAILS.get(tail, b'')
        with pytest.raises(UserInputError, match=r'a\.jpg'):
            decode_photo(cut, 'a.jpg')


def test_second_picture_does_not_complete_the_first(pixels):
    data = mpo(pixels)
    second = data.rfind(b'\xff\xd8\xff')
    assert decode_photo(data[: second + 60], 'a.jpg').shape == (48, 80, 3)
    with pytest.raises(UserInputError, match='cut off'):
        decode_photo(data[: second - 200] + data[second:], 'a.jpg')


def test_png_with_a_tail_loads_and_a_damaged_one_does_not(pixels):
    data = encode(pixels, 'PNG')
    found = decode_photo(data + b'\0' * 200, 'a.png')
    np.testing.assert_array_equal(found, pixels[..., ::-1])
    for end in (8, 20, len(data) // 2, len(data) - 13, len(data) - 1):
        assert not is_complete_image(data[:end])
    broken = bytearray(data)
    broken[len(data) // 2] ^= 255
    with pytest.raises(UserInputError, match='cut off'):
        decode_photo(bytes(broken), 'a.png')


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WEBP', 'TIFF'])
@pytest.mark.parametrize('way', range(1, 9))
def test_exif_turns_every_format(tmp_path, pixels, kind, way):
    exif = Image.Exif()
    exif[0x0112] = way
    path = tmp_path / 'a'
    path.write_bytes(encode(pixels, kind, exif=exif))
    expected = by_pillow(path.read_bytes())
    bgr = decode_photo(path.read_bytes(), path)
    np.testing.assert_array_equal(bgr, expected)
    rgb = read_rgb(path)
    np.testing.assert_array_equal(rgb, expected[..., ::-1])
    assert rgb.flags.c_contiguous
    assert photo_size(path) == expected.shape[:2]


@pytest.mark.parametrize('kind', ['WEBP', 'BMP', 'TIFF', 'GIF', 'PPM', 'PNG'])
def test_other_formats_load_whole_or_not_at_all(pixels, kind):
    data = encode(pixels, kind)
    np.testing.assert_array_equal(decode_photo(data, 'a'), by_pillow(data))
    for share in (0.5, 0.95):
        with pytest.raises(UserInputError, match='cut off'):
            decode_photo(data[: int(len(data) * share)], 'a')


@pytest.mark.parametrize('mode', ['1', 'L', 'P', 'RGBA', 'LA', 'CMYK'])
def test_modes(pixels, mode):
    kind = 'TIFF' if mode == 'CMYK' else 'PNG'
    data = encode(pixels, kind, mode)
    np.testing.assert_array_equal(decode_photo(data, 'a'), by_pillow(data))


def test_what_is_transparent_is_put_on_white(pixels):
    alpha = np.full((48, 80, 1), 255, np.uint8)
    alpha[:10] = 0
    alpha[10:20] = 51
    data = encode(np.dstack([pixels, alpha]), 'PNG')
    found = decode_photo(data, 'a')[..., ::-1].astype(int)
    assert (found[:10] == 255).all()
    expected = pixels[10:20] * 0.2 + 255 * 0.8
    assert np.abs(found[10:20] - expected).max() <= 0.5 + 1e-4
    np.testing.assert_array_equal(found[20:], pixels[20:])
    palette = Image.fromarray(pixels).convert('P')
    buffer = io.BytesIO()
    palette.save(buffer, 'PNG', transparency=palette.getpixel((0, 0)))
    assert (decode_photo(buffer.getvalue(), 'a')[0, 0] == 255).all()


@pytest.mark.parametrize('kind', ['GIF', 'WEBP', 'PNG', 'TIFF'])
def test_animated_and_paged_pictures_are_refused(pixels, kind):
    buffer = io.BytesIO()
    frames = [Image.fromarray(pixels), Image.fromarray(255 - pixels)]
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:])
    with pytest.raises(UserInputError, match='several frames or pages'):
        decode_photo(buffer.getvalue(), 'a')


@pytest.mark.parametrize('suffix', ['.png', '.tif'])
@pytest.mark.parametrize('channels', [1, 3, 4])
def test_sixteen_bits_become_eight_if_they_are_filled(suffix, channels):
    rng = np.random.default_rng(0)
    deep = rng.integers(0, 2**16, (9, 7, channels)).astype(np.uint16)
    if channels == 4:
        deep[..., 3] = 2**16 - 1
    data = cv2.imencode(suffix, deep)[1].tobytes()
    found = decode_photo(data, 'a')
    expected = np.broadcast_to(deep[..., :3] // 256, (9, 7, 3))
    np.testing.assert_array_equal(found, expected)
    for bits in (10, 12, 14):
        dark = deep >> (16 - bits)
        data = cv2.imencode(suffix, dark)[1].tobytes()
        remedy = f'multiply {2 ** (16 - bits)} '
        with pytest.raises(UserInputError, match=rf'in a,.*black.*{remedy}'):
            decode_photo(data, 'a')


def test_numbers_that_are_no_colours_are_refused():
    data = cv2.imencode('.tif', np.ones((4, 4), np.float32))[1].tobytes()
    with pytest.raises(UserInputError, match='8 bits'):
        decode_photo(data, 'a')


def test_pictures_of_phones_are_named():
    data = b'\0\0\0\x18ftypheic' + bytes(100)
    with pytest.raises(UserInputError, match='HEIC.*save it as JPEG'):
        decode_photo(data, 'a')


def test_text_is_no_picture_and_its_message_has_no_address():
    with pytest.raises(UserInputError, match='no picture') as caught:
        decode_photo(b'hello', 'a')
    assert ' at 0x' not in str(caught.value)


def test_postscript_is_no_picture():
    """Pillow would start Ghostscript for it."""
    data = encode(np.zeros((4, 4, 3), np.uint8), 'EPS')
    with pytest.raises(UserInputError, match='no picture'):
        decode_photo(data, 'a')


@pytest.mark.parametrize('size', [(1, 1), (1, 3000), (3000, 4)])
def test_narrow_photos_load(size):
    data = encode(np.zeros((*size, 3), np.uint8))
    assert decode_photo(data, 'a').shape == (*size, 3)


def test_bombs_are_refused_by_their_header(tmp_path, bomb):
    (tmp_path / 'a.png').write_bytes(bomb)
    for read in (read_rgb, photo_size):
        with pytest.raises(UserInputError) as error:
            read(tmp_path / 'a.png')
        for part in (f'{MAX_PIXELS:,} pixels', 'a.png', 'tiles'):
            assert part in str(error.value)


def test_limit_holds_where_pillows_own_was_switched_off(monkeypatch, bomb):
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', None)
    with pytest.raises(UserInputError, match='13400 x 13400 = 179,560,000'):
        decode_photo(bomb, 'a.png')


def test_no_file(tmp_path):
    for path in (tmp_path / 'none.jpg', tmp_path, '/dev/zero'):
        with pytest.raises(UserInputError, match='is not there.*image list'):
            read_rgb(path)
