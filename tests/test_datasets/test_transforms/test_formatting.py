# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What the model is handed: inputs, labels, masks, failures."""

import numpy as np
import pytest
import torch

import mmfmwsss  # noqa: F401  readies mmcv
from mmfmwsss.datasets.transforms import PackWSSSInputs, pack_failure
from mmfmwsss.structures import SAMMasks


@pytest.fixture
def masks():
    planes = torch.zeros(10, 6, 8, dtype=torch.bool)
    for i in range(10):
        planes[i, i % 6, : i % 4 + 1] = True
    return SAMMasks(
        masks=planes,
        levels=torch.arange(10) % 3,
        predicted_iou=torch.linspace(0, 1, 10),
        stability_score=torch.ones(10),
    )


def _results(**more):
    return {
        'img': np.zeros((6, 8, 3), np.uint8),
        'img_path': 'x.jpg',
        'ori_shape': (6, 8),
        'img_shape': (6, 8),
        'sample_idx': 3,
        'image_labels': np.array([True, False]),
        **more,
    }


def test_labels_and_meta():
    sample = PackWSSSInputs()(_results())['data_samples']
    assert torch.equal(sample.image_labels, torch.tensor([True, False]))
    assert sample.metainfo['sample_idx'] == 3
    assert 'sam_masks' not in sample
    del (unlabelled := _results())['image_labels']
    assert 'image_labels' not in PackWSSSInputs()(unlabelled)['data_samples']


def test_meta_keys_choose_what_is_packed():
    pack = PackWSSSInputs(meta_keys=['img_path', 'tags'])
    sample = pack(_results(tags=['cat']))['data_samples']
    assert sample.metainfo == {'img_path': 'x.jpg', 'tags': ['cat']}


def test_cropped_masks_lose_the_empty_ones(masks):
    planes = masks.pack()[:3]  # rows 0 to 2 hold masks 0, 1, 2, 6, 7, 8
    results = _results(sam_mask_planes=planes, sam_masks=masks)
    packed = PackWSSSInputs()(results)['data_samples'].sam_masks
    kept = torch.tensor([0, 1, 2, 6, 7, 8])
    assert torch.equal(packed.masks, masks.masks[kept, :3])
    assert torch.equal(packed.levels, masks.levels[kept])
    assert torch.equal(packed.predicted_iou, masks.predicted_iou[kept])


def test_masks_at_the_original_size_are_handed_on(masks):
    sample = PackWSSSInputs()(_results(sam_masks=masks))['data_samples']
    assert sample.sam_masks is masks


def test_samples_move_between_devices_as_the_preprocessor_does(masks):
    sample = PackWSSSInputs()(_results(sam_masks=masks))['data_samples']
    moved = sample.to(torch.device('cpu'), non_blocking=False)
    assert torch.equal(moved.sam_masks.masks, masks.masks)
    assert torch.equal(moved.image_labels, sample.image_labels)


def test_failure():
    info = {'img_path': 'x.jpg', 'image_labels': np.array([True, False])}
    packed = pack_failure(info, 'x.jpg is cut off')
    sample = packed['data_samples']
    assert packed['inputs'].shape[1:] == sample.img_shape
    assert sample.metainfo['failure'] == 'x.jpg is cut off'
    assert sample.image_labels.tolist() == [True, False]
    assert sample.sam_masks.size == sample.ori_shape
