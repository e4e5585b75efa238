# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pictures and masks are read whole, or refused with file and remedy."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

import mmfmwsss  # noqa: F401  readies mmcv
from mmfmwsss.datasets.transforms import (
    LoadImageStrict,
    LoadSAMMasks,
    is_complete_image,
)
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError, digest_of_picture


def _encode(pixels, kind='JPEG', **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def pixels():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (24, 40, 3), dtype=np.uint8)


def _load(path):
    return LoadImageStrict()({'img_path': str(path)})


@pytest.mark.parametrize('options', [{}, {'progressive': True}])
def test_cut_off_jpeg_is_noticed_at_every_length(pixels, options):
    data = _encode(pixels, **options)
    assert is_complete_image(data)
    assert is_complete_image(data + b'\0' * 9)
    scan = data.find(b'\xff\xda')
    for length in range(scan + 2, len(data)):
        assert not is_complete_image(data[:length])
        assert not is_complete_image(data[:length] + b'\0' * 9)


def test_thumbnail_does_not_hide_that_the_picture_is_cut_off(pixels):
    exif = b'Exif\0\0' + _encode(pixels[:8, :8])
    data = _encode(pixels, exif=exif)
    assert data.count(b'\xff\xd9') == 2
    assert is_complete_image(data)
    assert not is_complete_image(data[:-40])


def test_cut_off_png_is_noticed(pixels):
    data = _encode(pixels, 'PNG')
    assert is_complete_image(data)
    assert not is_complete_image(data[:-20])
    assert not is_complete_image(b'')


def test_picture_is_bgr(tmp_path, pixels):
    (tmp_path / 'x.png').write_bytes(_encode(pixels, 'PNG'))
    results = _load(tmp_path / 'x.png')
    assert (results['img'] == pixels[..., ::-1]).all()
    assert results['ori_shape'] == results['img_shape'] == (24, 40)


def test_grey_picture_gets_three_channels(tmp_path, pixels):
    (tmp_path / 'x.jpg').write_bytes(_encode(pixels[..., 0]))
    image = _load(tmp_path / 'x.jpg')['img']
    assert image.shape == (24, 40, 3)
    assert (image[..., :1] == image).all()


def test_exif_orientation_is_applied(tmp_path, pixels):
    picture = Image.fromarray(pixels)
    exif = picture.getexif()
    exif[0x0112] = 6  # turn by 90 degrees to look at it
    picture.save(tmp_path / 'x.jpg', exif=exif)
    assert _load(tmp_path / 'x.jpg')['ori_shape'] == (40, 24)


@pytest.mark.parametrize(
    'data', [b'', b'no picture', b'\xff\xd8\xff\xda\xff\xd9', None]
)
def test_unreadable_picture_names_file_and_remedy(tmp_path, data):
    path = tmp_path / 'x.jpg'
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(UserInputError, match=r'x\.jpg.*image list'):
        _load(path)


def test_cut_off_jpeg_is_refused(tmp_path, pixels):
    path = tmp_path / 'x.jpg'
    path.write_bytes(_encode(pixels)[:-100])
    with pytest.raises(UserInputError, match=r'x\.jpg.*cut off'):
        _load(path)


def _masks(count, size=(24, 40)):
    generator = torch.Generator().manual_seed(0)
    masks = torch.rand(count, *size, generator=generator) > 0.5
    return SAMMasks(
        masks=masks,
        levels=torch.arange(count) % 3,
        predicted_iou=torch.rand(count),
        stability_score=torch.rand(count),
    )


def _results(size=(24, 40)):
    return {
        'img_path': '/somewhere/x y.jpg',
        'img': np.zeros((*size, 3), np.uint8),
        'ori_shape': size,
        'seg_fields': [],
    }


@pytest.mark.parametrize(
    ('count', 'channels'), [(0, 2), (1, 2), (8, 2), (17, 3), (100, 13)]
)
def test_masks_travel_as_planes(tmp_path, count, channels):
    masks = _masks(count)
    masks.save(tmp_path / 'x y.json')
    results = LoadSAMMasks(str(tmp_path))(_results())
    assert results['sam_mask_planes'].shape == (24, 40, channels)
    assert results['seg_fields'] == ['sam_mask_planes']
    assert (results['sam_masks'].masks == masks.masks).all()


def test_masks_may_stay_at_the_original_size(tmp_path):
    _masks(5).save(tmp_path / 'x y.json')
    results = LoadSAMMasks(str(tmp_path), follow_image=False)(_results())
    assert results['seg_fields'] == []
    assert 'sam_mask_planes' not in results
    assert len(results['sam_masks']) == 5


def test_wrong_masks_are_refused(tmp_path):
    load = LoadSAMMasks(str(tmp_path), mask_command='make masks')
    with pytest.raises(UserInputError, match=r'x y\.json.*`make masks`'):
        load(_results())
    _masks(2, (24, 41)).save(tmp_path / 'x y.json')
    with pytest.raises(UserInputError, match=r'\(24, 41\).*another image'):
        load(_results())
    (tmp_path / 'x y.json').write_text('{')
    with pytest.raises(UserInputError, match=r'Delete.*`make masks`'):
        load(_results())
    _masks(2, (48, 80)).save(tmp_path / 'x y.json')
    resized = {**_results(), 'ori_shape': (48, 80)}
    stay = LoadSAMMasks(str(tmp_path), follow_image=False)
    assert stay(resized)['sam_masks'].size == (48, 80)
    with pytest.raises(ValueError, match='right after'):
        load(resized)


def test_masks_of_a_replaced_picture_are_refused(tmp_path):
    """Also where the new picture has the size of the old one."""
    photo = tmp_path / 'x y.jpg'
    photo.write_bytes(b'first')
    results = {**_results(), 'img_path': str(photo)}
    source = digest_of_picture(photo, (24, 40))
    _masks(2).save(tmp_path / 'x y.json', source=source)
    load = LoadSAMMasks(str(tmp_path), mask_command='make masks')
    assert len(load({**results})['sam_masks']) == 2
    photo.write_bytes(b'other')
    with pytest.raises(UserInputError, match='replaced since.*`make masks`'):
        load({**results})
    # what other tools made, or earlier releases, tells nothing of the photo
    for source in ('', '0123456789abcdef'):
        _masks(2).save(tmp_path / 'x y.json', source=source)
        assert len(load({**results})['sam_masks']) == 2
