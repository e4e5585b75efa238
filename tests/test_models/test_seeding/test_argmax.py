# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The baseline seeder."""

import torch

from mmfmwsss.models.seeding.argmax import ArgmaxSeeder, cam_scores


def test_by_hand():
    cams = torch.tensor([[[4.0, 3.0, 0.0, -5.0]], [[0.0, 0.0, 0.9, 1.0]]])
    # scores: 1 .75 0 0 and 0 0 .9 1; background 0 .25 .1 0
    seed = ArgmaxSeeder()(cams, torch.tensor([9, 2]))
    assert seed.tolist() == [[10, 10, 3, 3]] and seed.dtype == torch.uint8
    low = ArgmaxSeeder(alpha=0.1)(cams, torch.tensor([9, 2]))
    assert low.tolist() == [[10, 0, 3, 3]]


def test_unnormalised_scores_keep_their_height():
    cams = torch.tensor([[[0.3, 0.1, -0.2, 7.0]]])
    scores = cam_scores(cams, normalise=False)
    expected = torch.tensor([[[0.7, 0.9, 1, 0]], [[0.3, 0.1, 0, 1]]])
    torch.testing.assert_close(scores, expected)


def test_limits():
    seeder = ArgmaxSeeder()
    classes = torch.tensor([1, 2])
    assert (seeder(torch.zeros(2, 3, 3), classes) == 0).all()
    assert (seeder(torch.zeros(0, 3, 3), classes[:0]) == 0).all()
    # equal everywhere: as active as the most active pixel
    equal = torch.ones(1, 3, 3)
    assert (seeder(equal, classes[:1]) == 2).all()
    tie = torch.full((2, 1, 1), 0.5)
    assert seeder.refine(tie).tolist() == [[0]]


def test_the_background_is_what_the_best_class_leaves():
    """1 - max to the power of 1, as CLIP-ES has it before its CRF."""
    cams = torch.tensor([[[10.0, 5.2, 4.8, 0.0]]])
    assert ArgmaxSeeder()(cams, torch.tensor([0])).tolist() == [[1, 1, 0, 0]]
