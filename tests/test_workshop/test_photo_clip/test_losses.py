# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The losses of the photo CLIP against cases worked by hand."""

import math

import pytest
import torch

from mmfmwsss.workshop.photo_clip.losses import (
    attention_loss,
    cam_loss,
    contrast_loss,
    place_loss,
)


def test_contrast_of_one_name_each_is_clips_loss() -> None:
    logits = torch.tensor([[2.0, 0.0], [1.0, 3.0]])
    found = contrast_loss(logits, torch.eye(2))
    rows = [math.log(1 + math.exp(-2)), math.log(1 + math.exp(-2))]
    columns = [math.log(1 + math.exp(-1)), math.log(1 + math.exp(-3))]
    assert float(found) == pytest.approx(sum(rows) / 2 + sum(columns) / 2)


def test_names_that_no_photo_shows_say_nothing_of_photos() -> None:
    mass = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    found = contrast_loss(torch.zeros(2, 2), mass)
    assert float(found) == pytest.approx(2 * math.log(2))


def test_places_count_by_what_the_teacher_sees_there() -> None:
    logits = torch.tensor([[[0.0, 0.0], [math.log(3), 0.0]]])
    mass = torch.tensor([[[0.2, 0.2], [0.6, 0.0]]])
    found = place_loss(logits, mass, torch.ones(1, 1))
    expected = 0.4 * math.log(2) + 0.6 * math.log(4 / 3)
    assert float(found) == pytest.approx(expected)  # the weights sum to 1
    assert float(place_loss(logits, mass, torch.zeros(1, 1))) == 0


def test_cam_that_shows_the_teachers_map_costs_nothing() -> None:
    # The score is linear in one channel, so that the CAM is this channel.
    tokens = torch.zeros(1, 4, 2)
    tokens[0, 1:, 0] = torch.tensor([0.0, 1.0, 3.0])
    tokens[0, 1:, 1] = 5.0
    tokens.requires_grad_()
    scores = tokens[:, 1:, 0].sum(dim=1)
    same = torch.tensor([[0.0, 2.0, 6.0]])
    loss = cam_loss(scores, tokens, same, torch.ones(1))
    assert float(loss.detach()) == pytest.approx(0, abs=1e-6)
    other = torch.tensor([[1.0, 0.0, 0.0]])
    assert float(cam_loss(scores, tokens, other, torch.ones(1))) == 1
    assert float(cam_loss(scores, tokens, other, torch.zeros(1))) == 0


def test_attention_loss_is_0_for_the_likeness_itself() -> None:
    torch.manual_seed(0)
    features = torch.randn(1, 5, 2, 2)
    places = features.flatten(2)[0].T
    places = places / places.norm(dim=1, keepdim=True)
    likeness = (places @ places.T / 0.5).softmax(dim=1)
    attention = torch.full((1, 5, 5), 0.2)
    attention[0, 1:, 1:] = 0.8 * likeness  # the class token has the rest
    found = attention_loss(attention, features, 0.5)
    assert float(found) == pytest.approx(0, abs=1e-6)
    attention[0, 1:, 1:] = 0.2
    expected = (likeness * (likeness * 4).log()).sum(dim=1).mean()
    found = attention_loss(attention, features, 0.5)
    assert float(found) == pytest.approx(float(expected), abs=1e-6)
