# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Batches of several sizes, against each image by itself."""

from typing import Any

import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmfmwsss.models.segmentors.mixed_batches import (
    fail,
    failed,
    finished,
    predict_in_groups,
)

SIZES = [(2, 3), (4, 4), (2, 3), (5, 2), (2, 3)]


def batch(sizes=SIZES):
    samples = [
        SegDataSample(metainfo=dict(ori_shape=size, number=n))
        for n, size in enumerate(sizes)
    ]
    images = [torch.full((3, *size), n) for n, size in enumerate(sizes)]
    return dict(inputs=images, data_samples=samples)


def spy(calls):
    """Predict the mean of each image; stacking wants one size."""

    def step(data):
        stacked = torch.stack(list(data['inputs'])).float()
        calls.append(len(stacked))
        for sample, image in zip(data['data_samples'], stacked, strict=True):
            sample.set_metainfo(dict(mean=float(image.mean())))
        return list(data['data_samples'])

    return step


def test_images_of_one_size_run_together_in_the_order_of_the_batch():
    calls: list[int] = []
    results = predict_in_groups(spy(calls), batch())
    assert calls == [3, 1, 1]
    assert [sample.number for sample in results] == [0, 1, 2, 3, 4]
    assert [sample.mean for sample in results] == [0, 1, 2, 3, 4]


def test_failed_and_finished_images_are_not_predicted():
    calls: list[int] = []
    data = batch()
    fail(data['data_samples'][0], 'cut off')
    data['data_samples'][3].set_metainfo(dict(finished=True))
    results = predict_in_groups(spy(calls), data)
    assert calls == [1, 2]
    assert failed(results[0]) and results[0].failure == 'cut off'
    assert finished(results[3]) and 'mean' not in results[3].metainfo
    assert [s.get('mean') for s in results] == [None, 1, 2, None, 4]


def test_one_original_size_is_one_group():
    """Photos of two sizes may have one size after resizing."""
    calls: list[int] = []
    data = batch([(2, 3), (2, 3)])
    data['data_samples'][1].set_metainfo(dict(ori_shape=(4, 6)))
    predict_in_groups(spy(calls), data)
    assert calls == [1, 1]


def test_copies_of_an_augmentation_stay_together():
    first, second = batch(), batch()
    data = {key: [first[key], second[key]] for key in first}
    seen = []

    def step(part):
        seen.append([len(copies) for copies in part['inputs']])
        return part['data_samples'][0]

    results = predict_in_groups(step, data)
    assert seen == [[3, 3], [1, 1], [1, 1]]
    assert results == first['data_samples']


def test_other_forms_go_to_the_step_as_they_are():
    stacked = dict(batch([(2, 3)]), inputs=torch.zeros(1, 3, 2, 3))
    others: list[Any] = [stacked, dict(inputs=[]), torch.zeros(1)]
    for data in others:
        assert predict_in_groups(lambda given: given, data) is data


def test_a_failure_takes_predictions_away():
    sample = SegDataSample()
    pixels = PixelData(data=torch.zeros(1, 2, 3))
    sample.set_data(dict(pred_sem_seg=pixels, seg_logits=pixels))
    sample.image_labels = torch.zeros(3)
    fail(sample, 'why')
    assert list(sample.keys()) == ['image_labels']
