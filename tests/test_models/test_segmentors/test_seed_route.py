# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What a route gives to its seeder, and whose fault an error is."""

import pytest
import torch
from mmseg.structures import SegDataSample

from mmfmwsss.models.seeding import SAMS, DenseCRF
from mmfmwsss.models.segmentors.seed_route import ImageError, SeedRoute
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError

CAMS = torch.tensor([[[1.0, 0.0, 0.5]]])
ONE = torch.tensor([4])


def masks_of(*rows):
    ones = torch.ones(len(rows))
    stack = torch.tensor(rows)[:, None] > 0
    return SAMMasks(stack, 2 * ones.long(), ones, ones)


def sample_of(masks=None, **meta):
    sample = SegDataSample(
        metainfo=dict(ori_shape=(1, 3), image_name='a/b', **meta)
    )
    if masks is not None:
        sample.sam_masks = masks
    return sample


def test_by_hand():
    masks = masks_of([1, 0, 0], [0, 1, 1])
    route = SeedRoute('s', dict(type='SAMS'))
    seed = route.seed(CAMS, ONE, sample_of(masks))
    assert seed.tolist() == [[5, 0, 0]]
    assert torch.equal(seed, SAMS()(CAMS, ONE, masks))
    assert route.cam == ('s', True)


def test_masks_of_its_own_go_before_those_of_the_pipeline(tmp_path):
    masks_of([0, 0, 1], [1, 1, 0]).save(tmp_path / 'a/b.json')
    route = SeedRoute('s', dict(type='SAMS'), mask_dir=str(tmp_path))
    sample = sample_of(masks_of([1, 1, 1]), img_path='b.jpg')
    assert route.masks(sample).masks[0].tolist() == [[False, False, True]]
    argmax = SeedRoute('s', dict(type='ArgmaxSeeder'), mask_dir=str(tmp_path))
    assert argmax.masks(sample) is None  # reads no file


def test_a_photo_in_memory_is_shown():
    image = torch.zeros(1, 3, 3, dtype=torch.uint8)
    sample = sample_of()
    sample.original_image = image
    route = SeedRoute('s', dict(type='DenseCRF', backend='torch'))
    expected = DenseCRF(backend='torch')(CAMS, ONE, image=image)
    assert torch.equal(route.seed(CAMS, ONE, sample), expected)


def test_a_pipeline_without_masks_is_no_fault_of_the_image():
    route = SeedRoute('s', dict(type='SAMS'))
    with pytest.raises(UserInputError, match='LoadSAMMasks') as caught:
        route.seed(CAMS, ONE, sample_of())
    assert not isinstance(caught.value, ImageError)


def test_faults_of_one_image(tmp_path):
    other = sample_of(masks_of([1, 0]), img_path='b.jpg')
    with pytest.raises(ImageError, match='size of the score maps'):
        SeedRoute('s', dict(type='SAMS')).seed(CAMS, ONE, other)
    route = SeedRoute('s', dict(type='SAMS'), mask_dir=str(tmp_path))
    with pytest.raises(ImageError, match='not there'):
        route.seed(CAMS, ONE, other)
    crf = SeedRoute('s', dict(type='DenseCRF', backend='torch'))
    with pytest.raises(ImageError, match='`img_path`'):
        crf.seed(CAMS, ONE, sample_of())
