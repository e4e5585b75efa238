# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Scores and decisions of masks."""

import torch

from mmfmwsss.models.seeding.mask_decisions import (
    classify_masks,
    classify_masks_by_probability,
    mask_scores,
)


def test_scores_by_hand():
    cams = torch.tensor([[[4.0, 2.0, -9.0, 1.0]]])
    masks = torch.tensor([[[1, 1, 0, 0]], [[0, 1, 1, 0]], [[0, 0, 1, 1]]])
    # means of the clamped CAM: 3, 1, 0.5
    scores = mask_scores(masks.bool(), cams)
    torch.testing.assert_close(scores[:, 0], torch.tensor([1, 0.2, 0.0]))
    decisions = classify_masks(masks.bool(), cams, alpha=2.0)
    expected = torch.tensor([0.0, 0.64, 1.0])
    torch.testing.assert_close(decisions.scores[:, 0], expected)
    assert decisions.winner.tolist() == [1, 0, 0]


def test_official_divides_by_a_little_more():
    cams = torch.tensor([[[1e-7, 0.0]]])
    masks = torch.eye(2).view(2, 1, 2).bool()
    assert mask_scores(masks, cams).flatten().tolist() == [1, 0]
    scores = mask_scores(masks, cams, official=True)
    torch.testing.assert_close(scores[:, 0], torch.tensor([0.5, 0.0]))


def test_probabilities_by_hand():
    foreground = torch.tensor([[0.9, 0.5, 0.1]])
    probabilities = torch.stack([1 - foreground, foreground])
    masks = torch.tensor([[[1, 1, 0]], [[0, 0, 1]], [[0, 0, 0]]]).bool()
    decisions = classify_masks_by_probability(masks, probabilities, 2.0)
    expected = torch.tensor([[0.09, 0.7], [0.81, 0.1], [0.0, 0.0]])
    torch.testing.assert_close(decisions.scores, expected)
    assert decisions.winner.tolist() == [1, 0, 0]
    torch.testing.assert_close(
        decisions.confidence, torch.tensor([0.7, 0.81, 0.0])
    )


def test_background_wins_ties():
    masks = torch.ones(1, 1, 1).bool()
    half = torch.full((3, 1, 1), 0.5)
    assert classify_masks_by_probability(masks, half).winner.tolist() == [0]
