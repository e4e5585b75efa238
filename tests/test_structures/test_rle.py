# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from mmfmwsss.structures.rle import (
    decode_rles,
    decode_runs,
    encode_rles,
    read_runs,
)
from mmfmwsss.utils import UserInputError


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


def numbers_to_text(numbers):
    """COCO's text of run lengths, character by character."""
    text = ''
    for place, number in enumerate(numbers):
        left = number - (numbers[place - 2] if place > 2 else 0)
        while True:
            bits, left = left & 31, left >> 5
            done = left == (-1 if bits & 16 else 0)
            text += chr(48 + bits + (0 if done else 32))
            if done:
                break
    return text


@pytest.mark.parametrize('size', [(1, 1), (7, 1), (17, 23), (300, 400)])
def test_runs_are_those_of_the_slow_writer(size):
    rng = np.random.default_rng(1)
    for _ in range(20):
        cuts = np.sort(rng.integers(0, size[0] * size[1] + 1, 9))
        runs = np.diff([0, *cuts, size[0] * size[1]]).tolist()
        text = numbers_to_text(runs)
        assert read_runs(text, size).tolist() == runs
        expected = np.repeat(np.arange(10) % 2 == 1, runs)
        expected = expected.reshape(size[1], size[0]).T
        np.testing.assert_array_equal(decode_runs(runs, size), expected)
        (mask,) = decode_rles([text], size)
        np.testing.assert_array_equal(mask, expected)


def test_runs_of_masks():
    masks = make(3, (17, 23))
    for mask, text in zip(masks, encode_rles(masks), strict=True):
        np.testing.assert_array_equal(
            decode_runs(read_runs(text, (17, 23)).tolist(), (17, 23)), mask
        )


@pytest.mark.parametrize(
    'runs',
    [
        [30, -5, 167],
        [10**12],
        [-(10**12), 10**12 + 192],
        [2**32, 192],
        [2**32 + 192],
        [192, 0, 0, 2**31],
        [191],
        [193],
    ],
)
def test_runs_that_do_not_fill_the_image(runs):
    with pytest.raises(ValueError, match='Invalid RLE'):
        decode_rles([numbers_to_text(runs)], (12, 16))
    with pytest.raises(ValueError, match='Invalid RLE'):
        decode_runs(runs, (12, 16))


@pytest.mark.parametrize(
    'text', ['o', 'oooooooooooo0', '0\x7f', 'ä', ' ', '\0', None, 3, [1]]
)
def test_text_that_is_no_run_lengths(text):
    with pytest.raises(ValueError, match='Invalid RLE|ascii'):
        decode_rles([text], (12, 16))


@pytest.mark.parametrize('runs', [[1.0, 191], [True, 191], ['192'], [None]])
def test_runs_that_are_no_integers(runs):
    with pytest.raises(ValueError, match='must be integers'):
        decode_runs(runs, (12, 16))


@pytest.mark.parametrize(
    ('count', 'size', 'message'),
    [
        (1, (10**9, 10**9), 'at most 178,956,970 pixels'),
        (1, (50_000, 50_000), 'at most 178,956,970 pixels'),
        (1, (0, 5), 'height and width'),
        (1, (-3, -3), 'height and width'),
        (60, (13_000, 13_000), 'masks with 4,294,967,296 pixels'),
    ],
)
def test_sizes_are_not_believed(count, size, message):
    with pytest.raises(UserInputError, match=message):
        decode_rles([numbers_to_text([size[0] * size[1]])] * count, size)
