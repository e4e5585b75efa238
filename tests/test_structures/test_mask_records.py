# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Masks in every form that others hold them in."""

import numpy as np
import pytest
import torch
from pycocotools import mask as coco

from mmfmwsss.structures import SAMMasks, as_sam_masks
from mmfmwsss.utils import UserInputError

STACK = np.zeros((2, 3, 4), bool)
STACK[0, :, :2] = STACK[1, 1:, 1:] = True


def compressed(mask):
    return coco.encode(np.asfortranarray(mask, np.uint8))


def runs(mask):
    """Count COCO's runs by a loop, down the columns, zeros first."""
    counts, value = [0], False
    for pixel in mask.T.ravel():
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    return dict(size=list(mask.shape), counts=counts)


FORMS = dict(
    stack=STACK,
    numbers=STACK.astype(np.float32),
    tensor=torch.from_numpy(STACK),
    arrays=list(STACK),
    tensors=list(torch.from_numpy(STACK)),
    records=[dict(segmentation=mask) for mask in STACK],
    compressed=[dict(segmentation=compressed(mask)) for mask in STACK],
    runs=[dict(segmentation=runs(mask)) for mask in STACK],
    sam_masks=as_sam_masks(STACK),
)


@pytest.mark.parametrize('masks', FORMS.values(), ids=FORMS)
def test_all_forms_are_the_same_whole_masks(masks):
    found = as_sam_masks(masks)
    np.testing.assert_array_equal(found.masks.numpy(), STACK)
    assert found.levels.tolist() == [2, 2]
    assert found.predicted_iou.tolist() == [1, 1]


def test_ours_are_passed_on():
    masks = SAMMasks.empty((3, 4))
    assert as_sam_masks(masks) is masks


def test_no_masks_have_the_size_of_the_image():
    assert as_sam_masks([], (5, 6)).size == (5, 6)
    assert len(as_sam_masks(np.zeros((0, 5, 6)))) == 0


@pytest.mark.parametrize(
    ('masks', 'message'),
    [
        (STACK[0], r'got a ndarray of shape \(3, 4\)'),
        ([1, 2], 'got a list'),
        (dict(segmentation=STACK[0]), 'got a dict'),
        ('a.json', r'got a str\. Read the file by mmfmwsss\.apis\.read_masks'),
        (STACK * 3, r'multi-hot.* got 3 at \[0, 0, 0\]'),
        ([dict(area=3)], 'Mask 0 has no readable `segmentation`'),
    ],
    ids=['flat', 'numbers', 'one_record', 'path', 'labels', 'no_mask'],
)
def test_what_is_no_mask_is_named(masks, message):
    with pytest.raises(UserInputError, match=message):
        as_sam_masks(masks)


def test_masks_of_a_model_that_still_have_a_gradient():
    """numpy refuses these, like those on a GPU."""
    mask = torch.eye(2, requires_grad=True)
    for masks in ([mask], [dict(segmentation=mask)]):
        assert torch.equal(as_sam_masks(masks).masks[0], torch.eye(2) > 0)
