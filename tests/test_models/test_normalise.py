# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Normalisation of CAMs."""

import pytest
import torch

from mmfmwsss.models.normalise import min_max, min_max_over_image


def test_min_max_by_hand():
    values = torch.tensor([[1.0, 3.0, 2.0], [0.0, 0.0, 4.0]])
    expected = torch.tensor([[0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    torch.testing.assert_close(min_max(values), expected)


def test_min_max_of_equal_values():
    values = torch.tensor([[0.2, 0.2], [0.0, 0.0]])
    assert min_max(values).tolist() == [[1, 1], [0, 0]]
    assert min_max(values, epsilon=1e-7).tolist() == [[0, 0], [0, 0]]
    assert min_max(torch.zeros(2, 0)).shape == (2, 0)


def test_min_max_with_epsilon_by_hand():
    scores = min_max(torch.tensor([0.0, 1e-7]), epsilon=1e-7)
    torch.testing.assert_close(scores, torch.tensor([0.0, 0.5]))


def test_over_image_clamps_before_it_stretches():
    cams = torch.tensor([[[-8.0, 1.0], [2.0, 4.0]], [[-1.0, -2], [-3, -1]]])
    scores = min_max_over_image(cams)
    assert scores[0].tolist() == [[0, 0.25], [0.5, 1]]
    assert (scores[1] == 0).all()
    assert min_max_over_image(cams.half()).dtype == torch.float32


@pytest.mark.parametrize(
    ('peak', 'score', 'level'),
    [(1e-2, 0.99999, 254), (1e-6, 1 / 1.1, 231), (1e-8, 1 / 11, 23)],
)
def test_official_over_image_by_hand(peak, score, level):
    cams = torch.tensor([[[peak, 0.402 * peak, -1.0]]])
    scores = min_max_over_image(cams, official=True)
    torch.testing.assert_close(
        scores[0, 0, 0].item(), score, atol=1e-5, rtol=0
    )
    assert int(255 * scores.max()) == level
    assert min_max_over_image(cams).max() == 1
    # CLIP-ES stretches again, and so brings the peak back
    twice = min_max_over_image(cams, official=True, rounds=2)
    assert int(255 * twice.max()) == 254
