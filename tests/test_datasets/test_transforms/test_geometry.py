# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Image, label map and masks move together, in ours and in mmseg's steps."""

from typing import Any

import numpy as np
import pytest
import torch
from mmseg.registry import TRANSFORMS
from PIL import Image

import mmfmwsss  # noqa: F401  readies mmcv
from mmfmwsss.datasets.transforms import (
    PackWSSSInputs,
    RandomCropWithMasks,
    RandomLongSideResize,
    ResizeToPatchMultiple,
)
from mmfmwsss.structures import SAMMasks


def _results(count=5, size=(30, 40), seed=0):
    """A label map of blobs, whose masks and picture show the same."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, count + 1, (6, 8), dtype=np.uint8)
    labels = np.asarray(
        Image.fromarray(coarse).resize(size[::-1], Image.Resampling.NEAREST)
    )
    masks = SAMMasks(
        masks=torch.stack(
            [torch.from_numpy(labels == i + 1) for i in range(count)]
        )
        if count
        else torch.zeros(0, *size, dtype=torch.bool),
        levels=torch.zeros(count, dtype=torch.int64),
        predicted_iou=torch.linspace(0, 1, count),
        stability_score=torch.ones(count),
    )
    planes = masks.pack()
    planes = np.pad(planes, ((0, 0), (0, 0), (0, max(0, 2 - planes.shape[2]))))
    return {
        'img': np.repeat(labels[..., None], 3, axis=2),
        'img_path': 'x.jpg',
        'img_shape': size,
        'ori_shape': size,
        'gt_seg_map': labels.copy(),
        'sam_mask_planes': planes,
        'sam_masks': masks,
        'seg_fields': ['gt_seg_map', 'sam_mask_planes'],
    }


def _check_together(results):
    """Mask of score k / (n - 1) still covers just the label k + 1."""
    packed = PackWSSSInputs()(results)
    masks = packed['data_samples'].sam_masks
    count = len(results['sam_masks'])
    labels = packed['data_samples'].gt_sem_seg.data[0]
    assert masks.size == tuple(labels.shape)
    assert packed['inputs'].shape[1:] == labels.shape
    seen = [int(v) for v in labels.unique() if 0 < v < 255]
    assert len(masks) == len(seen)
    for mask, score in zip(masks.masks, masks.predicted_iou, strict=True):
        label = round(float(score) * (count - 1)) + 1 if count > 1 else 1
        assert torch.equal(mask, labels == label)


OURS: list[dict[str, Any]] = [
    {'type': 'ResizeToPatchMultiple', 'patch_size': 16},
    {'type': 'RandomLongSideResize', 'low': 50, 'high': 90, 'min_short': 24},
    {'type': 'RandomCropWithMasks', 'crop_size': (20, 24)},
    {'type': 'RandomCropWithMasks', 'crop_size': 64},
]
MMSEG = [
    {'type': 'Resize', 'scale': (53, 61), 'keep_ratio': False},
    {'type': 'Resize', 'scale': (80, 61), 'keep_ratio': True},
    {'type': 'Resize', 'scale': (20, 16), 'keep_ratio': True},
    {'type': 'RandomResize', 'scale': (60, 50), 'ratio_range': (0.5, 2.0)},
    {'type': 'RandomCrop', 'crop_size': (20, 24), 'cat_max_ratio': 0.75},
    {'type': 'RandomFlip', 'prob': 1.0},
    {'type': 'RandomFlip', 'prob': 1.0, 'direction': 'vertical'},
]


@pytest.mark.parametrize('count', [0, 1, 5, 8, 9, 40, 100])
@pytest.mark.parametrize('step', OURS + MMSEG, ids=lambda s: s['type'])
def test_all_move_together(step, count):
    np.random.seed(count)
    config = dict(step)
    if config['type'] == 'RandomResize':
        config['resize_type'] = 'Resize'
        config['keep_ratio'] = True
    _check_together(TRANSFORMS.build(config)(_results(count)))


def test_a_whole_pipeline_moves_together():
    steps = [
        TRANSFORMS.build(step)
        for step in (OURS[1], MMSEG[5], {**OURS[2], 'crop_size': 24}, OURS[0])
    ]
    for seed in range(5):
        np.random.seed(seed)
        results = _results(60, seed=seed)
        for step in steps:
            results = step(results)
        _check_together(results)


def test_ours_take_more_masks_than_opencv_has_channels():
    results = _results(0)
    results['sam_masks'] = SAMMasks(
        masks=torch.ones(6000, 30, 40, dtype=torch.bool),
        levels=torch.zeros(6000, dtype=torch.int64),
        predicted_iou=torch.ones(6000),
        stability_score=torch.ones(6000),
    )
    results['sam_mask_planes'] = results['sam_masks'].pack()
    results = ResizeToPatchMultiple(16)(results)
    results = RandomCropWithMasks(32)(results)
    assert results['sam_mask_planes'].shape == (32, 32, 750)
    assert (results['sam_mask_planes'] == 255).all()


@pytest.mark.parametrize(
    ('size', 'expected'),
    [((375, 500), (384, 512)), ((427, 640), (432, 640)), ((16, 1), (16, 16))],
)
def test_sides_are_rounded_up_each(size, expected):
    results = ResizeToPatchMultiple(16)(
        {'img': np.zeros((*size, 3), np.uint8)}
    )
    assert results['img'].shape[:2] == expected
    assert results['img_shape'] == expected
    assert results['scale_factor'] == (
        expected[1] / size[1],
        expected[0] / size[0],
    )


def test_image_of_fitting_size_is_left_alone():
    image = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
    results = ResizeToPatchMultiple(16)({'img': image})
    assert (results['img'] == image).all()
    assert results['scale_factor'] == (1.0, 1.0)


def test_long_side_by_hand():
    resize = RandomLongSideResize(low=100, high=100, min_short=10)
    image = np.zeros((40, 80, 3), np.uint8)
    assert resize({'img': image})['img_shape'] == (50, 100)
    resize = RandomLongSideResize(low=100, high=100, min_short=60)
    assert resize({'img': image})['img_shape'] == (60, 120)


def test_long_side_is_drawn_from_the_closed_range():
    np.random.seed(0)
    resize = RandomLongSideResize(low=50, high=53, min_short=1)
    image = np.zeros((20, 40, 3), np.uint8)
    drawn = {resize({'img': image})['img_shape'][1] for _ in range(80)}
    assert drawn == {50, 51, 52, 53}


def test_short_side_always_fits_the_crop():
    np.random.seed(1)
    resize = RandomLongSideResize(low=288, high=480, min_short=224)
    for height, width in ((281, 500), (333, 1001), (500, 37), (7, 6)):
        image = np.zeros((height, width, 3), np.uint8)
        assert min(resize({'img': image})['img_shape']) >= 224


@pytest.mark.parametrize(
    ('settings', 'ignored'), [(dict(), 255), (dict(ignore_index=7), 7)]
)
def test_crop_pads_right_and_below(settings, ignored):
    results = {
        'img': np.full((2, 3, 3), 9, np.uint8),
        'gt_seg_map': np.full((2, 3), 1, np.uint8),
        'sam_mask_planes': np.full((2, 3, 2), 255, np.uint8),
        'seg_fields': ['gt_seg_map', 'sam_mask_planes'],
    }
    crop = RandomCropWithMasks((3, 2), pad_value=(1, 2, 3), **settings)
    results = crop(results)
    assert results['img'][:2].tolist() == [[[9] * 3] * 2] * 2
    assert results['img'][2].tolist() == [[1, 2, 3]] * 2
    assert results['gt_seg_map'].tolist() == [[1, 1], [1, 1], [ignored] * 2]
    assert results['sam_mask_planes'][:2].min() == 255
    assert results['sam_mask_planes'][2].max() == 0
    assert results['img_shape'] == (3, 2)


def test_crop_reaches_every_corner():
    np.random.seed(0)
    image = np.arange(9, dtype=np.uint8).reshape(3, 3, 1).repeat(3, 2)
    corners = {
        int(RandomCropWithMasks(2)({'img': image})['img'][0, 0, 0])
        for _ in range(60)
    }
    assert corners == {0, 1, 3, 4}


def test_wrong_arguments():
    with pytest.raises(ValueError, match='patch_size >= 1'):
        ResizeToPatchMultiple(0)
    with pytest.raises(ValueError, match='1 <= low <= high'):
        RandomLongSideResize(low=5, high=4, min_short=1)
    with pytest.raises(ValueError, match='crop_size >= 1'):
        RandomCropWithMasks((0, 3))
