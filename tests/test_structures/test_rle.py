# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from mmfmwsss.structures.rle import decode_rles, encode_rles


def make(count, size):
    return np.random.default_rng(0).uniform(size=(count, *size)) > 0.7


@pytest.mark.parametrize('size', [(1, 1), (1, 9), (9, 1), (17, 23)])
def test_rles_are_pycocotools(size):
    masks = make(6, size)
    counts = encode_rles(masks)
    for mask, text in zip(masks, counts, strict=True):
        expected = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
        assert text.encode() == expected['counts']
    np.testing.assert_array_equal(decode_rles(counts, size), masks)


def test_rles_of_no_full_and_empty_masks():
    assert decode_rles(encode_rles(np.zeros((0, 3, 4), bool)), (3, 4)).shape
    masks = np.stack([np.zeros((3, 4), bool), np.ones((3, 4), bool)])
    np.testing.assert_array_equal(
        decode_rles(encode_rles(masks), (3, 4)), masks
    )


def test_rles_that_do_not_fit_the_image():
    counts = encode_rles(make(4, (20, 30)))
    with pytest.raises(ValueError, match='Invalid RLE'):
        decode_rles(counts, (20, 10))
    with pytest.raises(ValueError, match='empty'):
        decode_rles([''], (20, 30))
