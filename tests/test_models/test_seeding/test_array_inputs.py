# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeders give for arrays of numpy what they give for tensors."""

import numpy as np
import pytest
import torch

from mmfmwsss.models.seeding import SAMS, ArgmaxSeeder, DenseCRF, MaskVoting
from mmfmwsss.structures import SAMMasks

SEEDERS = dict(
    sams=SAMS(),
    voting=MaskVoting(),
    crf=DenseCRF(backend='torch', iterations=2),
    argmax=ArgmaxSeeder(),
)
ALL = pytest.mark.parametrize('seeder', SEEDERS.values(), ids=SEEDERS)
RANDOM = np.random.default_rng(0)
CAMS = RANDOM.normal(size=(2, 6, 9)).astype(np.float32)
STACK = RANDOM.random((3, 6, 9)) < 0.4
IMAGE = RANDOM.integers(0, 256, (6, 9, 3)).astype(np.uint8)
ONES = torch.ones(3)
MASKS = SAMMasks(torch.from_numpy(STACK), torch.full((3,), 2), ONES, ONES)
RECORDS = [dict(segmentation=mask) for mask in STACK]


@ALL
def test_seed_of_numpy_is_that_of_torch(seeder):
    expected = seeder(
        torch.from_numpy(CAMS),
        torch.tensor([4, 1]),
        MASKS,
        torch.from_numpy(IMAGE),
    )
    for classes in ([4, 1], (4, 1), np.array([4, 1], np.uint8)):
        for masks in (RECORDS, STACK, MASKS):
            seed = seeder(CAMS, classes, masks, IMAGE)
            assert isinstance(seed, np.ndarray) and seed.dtype == np.uint8
            np.testing.assert_array_equal(seed, expected.numpy())


@ALL
def test_refinement_of_numpy_is_that_of_torch(seeder):
    scores = np.exp(CAMS) / np.exp(CAMS).sum(0)
    image = torch.from_numpy(IMAGE)
    expected = seeder.refine(torch.from_numpy(scores), MASKS, image)
    found = seeder.refine(scores, RECORDS, IMAGE)
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, expected.numpy())


@ALL
def test_no_class_is_background(seeder):
    seed = seeder(np.zeros((0, 6, 9), np.float32), [], MASKS, IMAGE)
    assert seed.shape == (6, 9) and not seed.any()


def test_a_case_by_hand():
    """The left mask is the cat's, class 3; the right one scores 0."""
    cams = np.array([[[4.0, 4.0, 0.0, 0.0]]])
    masks = [
        dict(segmentation=np.array([[1, 1, 0, 0]])),
        dict(segmentation=np.array([[0, 0, 1, 1]])),
    ]
    assert SAMS()(cams, [3], masks).tolist() == [[4, 4, 0, 0]]
    decisions = SAMS(alpha=1).decide(cams, masks)
    assert decisions.scores.tolist() == [[0, 1], [1, 0]]
    assert decisions.winner.tolist() == [1, 0]
