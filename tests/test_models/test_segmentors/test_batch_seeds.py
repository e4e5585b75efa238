# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeds of a batch, against the seeder called image by image."""

import pytest
import torch
from mmseg.structures import SegDataSample

from mmfmwsss.models.cams import upsample_cams
from mmfmwsss.models.seeding import SAMS, ArgmaxSeeder
from mmfmwsss.models.segmentors.batch_seeds import (
    seed_crops,
    seed_samples,
    stack_labels,
)
from mmfmwsss.models.segmentors.seed_route import SeedRoute
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError

CPU = torch.device('cpu')
# Image 0 shows classes 1 and 2, image 1 none, image 2 class 0
PAIRS = torch.tensor([[0, 1], [0, 2], [2, 0]])


def random_masks(count: int, size: tuple[int, int]) -> SAMMasks:
    generator = torch.Generator().manual_seed(count)
    ones = torch.ones(count)
    masks = torch.rand(count, *size, generator=generator) > 0.5
    return SAMMasks(masks, 2 * ones.long(), ones, ones)


def batch(size: tuple[int, int]) -> tuple[torch.Tensor, list[SegDataSample]]:
    generator = torch.Generator().manual_seed(0)
    cams = torch.randn(3, 2, 3, generator=generator)
    samples = []
    for n in range(3):
        sample = SegDataSample(metainfo=dict(ori_shape=size, img_path=f'{n}'))
        sample.sam_masks = random_masks(n + 2, size)
        samples.append(sample)
    return cams, samples


def test_crops_are_seeded_one_by_one():
    cams, samples = batch((6, 9))
    route = SeedRoute('classification', dict(type='SAMS'))
    seeds = seed_crops(route, (cams, PAIRS), samples, (6, 9))
    maps = upsample_cams(cams, (6, 9))
    masks = [sample.sam_masks for sample in samples]
    assert torch.equal(seeds[0], SAMS()(maps[:2], [1, 2], masks[0]))
    assert torch.equal(seeds[1], torch.zeros(6, 9, dtype=torch.uint8))
    assert torch.equal(seeds[2], SAMS()(maps[2:], [0], masks[2]))


def test_routes_share_maps_and_one_is_the_prediction():
    cams, samples = batch((6, 9))
    routes = dict(
        fine=SeedRoute('segmentation', dict(type='SAMS'), use_caa=False),
        plain=SeedRoute('segmentation', dict(type='ArgmaxSeeder'), False),
    )
    maps = {('segmentation', False): (cams, PAIRS)}
    seed_samples(routes, maps, samples, 'plain', keep_cams=True)
    large = upsample_cams(cams, (6, 9))
    expected = ArgmaxSeeder()(large[:2], [1, 2])
    assert torch.equal(samples[0].plain.data[0], expected)
    assert torch.equal(samples[0].pred_sem_seg.data[0], expected)
    assert torch.equal(samples[0].fine_cams.data, large[:2])
    assert samples[1].plain_cams.data.shape == (0, 6, 9)


def test_one_image_that_fails_stops_no_other():
    cams, samples = batch((6, 9))
    samples[0].sam_masks = random_masks(2, (5, 9))  # of another image
    routes = dict(fine=SeedRoute('segmentation', dict(type='SAMS'), False))
    maps = {('segmentation', False): (cams, PAIRS)}
    seed_samples(routes, maps, samples, 'fine', keep_cams=False)
    assert 'masks of the size' in samples[0].metainfo['failure']
    assert 'fine' not in samples[0] and 'pred_sem_seg' not in samples[0]
    assert all('fine' in sample for sample in samples[1:])


def test_labels_are_stacked_or_refused():
    samples = [SegDataSample() for _ in range(2)]
    for n, sample in enumerate(samples):
        sample.image_labels = torch.arange(3) == n
    assert stack_labels(samples, 3, CPU).tolist() == [
        [True, False, False],
        [False, True, False],
    ]
    with pytest.raises(ValueError, match='of 4 foreground classes.*gives 3'):
        stack_labels(samples, 4, CPU)
    with pytest.raises(UserInputError, match='image-level labels of an image'):
        stack_labels([SegDataSample()], 3, CPU)
