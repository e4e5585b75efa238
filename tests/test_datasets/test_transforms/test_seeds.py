# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeds on their way from a PNG through the crops to the model."""

import numpy as np
import pytest
from mmengine.dataset import Compose
from mmseg.registry import TRANSFORMS

from mmfmwsss.datasets.transforms import ImageLabelsFromSeed, LoadSeed
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import write_palette_png

SIZE = (24, 40)


def results(labels=(True, False, True)):
    return {
        'img_path': '/somewhere/x y.jpg',
        'img': np.zeros((*SIZE, 3), np.uint8),
        'ori_shape': SIZE,
        'img_shape': SIZE,
        'image_labels': np.array(labels),
        'seg_fields': [],
    }


def seed_map(size=SIZE):
    """Class 1 at the left, class 3 at the right, background between."""
    seed = np.zeros(size, np.uint8)
    seed[:, :10], seed[:, -10:] = 1, 3
    return seed


def test_it_loads_labels_untouched(tmp_path):
    seed = seed_map()
    seed[0, 0] = 255
    write_palette_png(tmp_path / 'x y.png', seed)
    loaded = LoadSeed(str(tmp_path))(results())
    assert (loaded['gt_seg_map'] == seed).all()
    assert loaded['seg_fields'] == ['gt_seg_map']
    assert str(tmp_path) in repr(LoadSeed(str(tmp_path)))


def test_it_follows_the_picture_and_is_padded_with_255(tmp_path):
    write_palette_png(tmp_path / 'x y.png', seed_map())
    record = results()
    # A picture that shows its own seed.
    record['img'] = np.repeat(60 * seed_map()[..., None], 3, axis=2)
    pipeline = Compose(
        [
            TRANSFORMS.build(step)
            for step in (
                dict(type='LoadSeed', seed_dir=str(tmp_path)),
                dict(
                    type='RandomLongSideResize', low=80, high=80, min_short=8
                ),
                dict(type='RandomCropWithMasks', crop_size=(64, 60)),
                dict(type='RandomFlip', prob=1.0),
                dict(type='ImageLabelsFromSeed'),
                dict(type='PackWSSSInputs'),
            )
        ]
    )
    np.random.seed(3)
    sample = pipeline(record)
    labels = sample['data_samples'].gt_sem_seg.data[0].numpy()
    image = sample['inputs'][0].numpy()
    assert labels.shape == (64, 60)
    assert set(np.unique(labels)) <= {0, 1, 3, 255}
    assert (labels[48:] == 255).all()  # the picture is 48 pixels high
    inside = labels[:48]
    away = np.abs(image[:48].astype(int) - 60 * inside.astype(int))
    assert (away > 60).mean() < 0.02  # but for the bicubic edges
    seen = [bool((inside == c + 1).any()) for c in range(3)]
    assert sample['data_samples'].image_labels.tolist() == seen


def test_labels_of_a_crop_are_those_seen_and_given():
    record = results((True, True, False))
    record['gt_seg_map'] = seed_map()
    kept = record['image_labels']
    labels = ImageLabelsFromSeed()(record)['image_labels']
    assert labels.tolist() == [True, False, False]  # 3 was not given
    assert kept.tolist() == [True, True, False]  # the data set's own stays
    record['gt_seg_map'] = np.full(SIZE, 255, np.uint8)
    assert not ImageLabelsFromSeed()(record)['image_labels'].any()
    assert repr(ImageLabelsFromSeed()) == 'ImageLabelsFromSeed()'


def test_errors(tmp_path):
    load = LoadSeed(str(tmp_path), seed_command='make seeds')
    with pytest.raises(UserInputError, match=r'x y\.png.*`make seeds`'):
        load(results())
    (tmp_path / 'x y.png').write_bytes(b'no picture')
    with pytest.raises(UserInputError, match='cannot be read'):
        load(results())
    write_palette_png(tmp_path / 'x y.png', seed_map((24, 41)))
    with pytest.raises(UserInputError, match=r'\(24, 40\).*\(24, 41\)'):
        load(results())
    write_palette_png(tmp_path / 'x y.png', seed_map())
    with pytest.raises(UserInputError, match='of 2 classes.*the label 3'):
        load(results((True, False)))
    resized = results()
    resized['img'] = resized['img'][:12]
    with pytest.raises(ValueError, match='right after the image loader'):
        load(resized)
