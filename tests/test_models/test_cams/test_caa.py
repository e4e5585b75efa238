# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""CAA against a slow version with OpenCV's contours, and invariants."""

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from mmfmwsss.models.cams import (
    CAA,
    box_mask,
    sinkhorn_affinity,
)
from mmfmwsss.models.normalise import min_max_over_image


def slow_box_mask(score: Tensor, threshold: float, official: bool) -> Tensor:
    """Boxes of all contours, inner ones too, as CLIP-ES describes."""
    levels = np.floor(255 * score.numpy()).astype(np.uint8)
    high = (levels > int(threshold * levels.max())).astype(np.uint8) * 255
    contours, _ = cv2.findContours(
        high, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE
    )
    height, width = score.shape
    mask = torch.zeros(height, width, dtype=torch.bool)
    for contour in contours:
        x, y, w, h = cv2.boundingRect(contour)
        x1, y1 = x + w, y + h
        if official:
            x1, y1 = min(x1, width - 1), min(y1, height - 1)
        mask[y:y1, x:x1] = True
    return mask


def slow_caa(
    cam: Tensor, attention: Tensor, rounds: int, power: int, threshold: float,
    refine: str,
) -> Tensor:  # fmt: skip
    """One map of one image, with the matrix power spelled out."""
    matrix = attention.clone()
    for _ in range(rounds):
        matrix = matrix / matrix.sum(0, keepdim=True)
        matrix = matrix / matrix.sum(1, keepdim=True)
    matrix = (matrix + matrix.T) / 2
    clamped = cam.clamp(min=0)
    score = clamped - clamped.min()
    score = score / score.max() if score.max() > 0 else score
    boxes = slow_box_mask(score, threshold, official=False)
    source = (score if refine == 'score' else cam) * boxes
    affinity = torch.linalg.matrix_power(matrix, power)
    return (affinity @ source.flatten()).view_as(cam)


def random_case() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    cams = torch.randn(3, 4, 5, generator=generator)
    attention = torch.rand(2, 20, 20, generator=generator)
    return cams, attention, torch.tensor([0, 1, 1])


@pytest.mark.parametrize('refine', ['score', 'cam'])
@pytest.mark.parametrize(('rounds', 'power'), [(1, 2), (3, 2), (3, 1), (0, 0)])
def test_equals_the_slow_version(refine: str, rounds: int, power: int) -> None:
    cams, attention, images = random_case()
    caa = CAA(sinkhorn_rounds=rounds, power=power, refine=refine)
    refined = caa(cams, attention, images)
    for cam, image, ours in zip(cams, images, refined, strict=True):
        expected = slow_caa(cam, attention[image], rounds, power, 0.4, refine)
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-6)


def test_the_defaults_are_those_of_clip_es() -> None:
    """3 Sinkhorn rounds, the square of A, boxes at 0.4 of a score's peak."""
    cams, attention, images = random_case()
    refined = CAA()(cams, attention, images)
    for cam, image, ours in zip(cams, images, refined, strict=True):
        expected = slow_caa(cam, attention[image], 3, 2, 0.4, 'score')
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-6)
    # With no attention to others, a map is what the boxes leave of its score
    cam = torch.tensor([[[2.0, 0.0, 0.9, 0.0, 0.7]]])
    alone = CAA()(cam, torch.eye(5)[None], torch.tensor([0]))
    torch.testing.assert_close(alone, torch.tensor([[[1, 0, 0.45, 0, 0]]]))


@pytest.mark.parametrize('official', [True, False])
def test_box_mask_equals_contours(official: bool) -> None:
    generator = torch.Generator().manual_seed(3)
    for _ in range(50):
        score = torch.rand(7, 9, generator=generator) ** 3
        expected = slow_box_mask(score, 0.4, official)
        assert torch.equal(box_mask(score, 0.4, official), expected)


def test_box_mask_by_hand() -> None:
    score = torch.zeros(4, 5)
    score[1, 2], score[3, 4] = 1.0, 0.9
    expected = torch.zeros(4, 5, dtype=torch.bool)
    expected[1, 2] = expected[3, 4] = True
    assert torch.equal(box_mask(score, 0.4), expected)
    expected[3, 4] = False  # the official code never boxes the last row
    assert torch.equal(box_mask(score, 0.4, official=True), expected)


def test_a_ring_is_filled_by_its_box() -> None:
    score = torch.zeros(5, 5)
    score[1:4, 1:4] = 1
    score[2, 2] = 0
    assert box_mask(score, 0.4)[2, 2]


def test_the_mask_acts_on_sources() -> None:
    cam = torch.zeros(1, 1, 4)
    cam[0, 0, 0] = 1.0
    attention = torch.zeros(1, 4, 4)
    attention[0, 3, 0] = attention[0, 0, 3] = 1.0
    attention[0, 1, 1] = attention[0, 2, 2] = 1.0
    caa = CAA(sinkhorn_rounds=0, power=1)
    refined = caa(cam, attention, torch.tensor([0]))
    assert refined.tolist() == [[[0.0, 0.0, 0.0, 1.0]]]  # outside the box


def test_sinkhorn_is_symmetric_and_nearly_stochastic() -> None:
    attention = torch.rand(2, 20, 20) + 0.1
    affinity = sinkhorn_affinity(attention, rounds=50)
    torch.testing.assert_close(affinity, affinity.transpose(1, 2))
    torch.testing.assert_close(
        affinity.sum(2), torch.ones(2, 20), rtol=1e-4, atol=1e-4
    )


def test_uniform_attention_levels_a_map() -> None:
    attention = torch.full((1, 6, 6), 1 / 6)
    cam = torch.arange(6.0).view(1, 2, 3)
    refined = CAA(use_boxes=False)(cam, attention, torch.tensor([0]))
    torch.testing.assert_close(refined, torch.full((1, 2, 3), 0.5))


def test_empty_and_zero_maps() -> None:
    _, attention, _ = random_case()
    caa = CAA()
    none = caa(
        torch.zeros(0, 4, 5), attention, torch.zeros(0, dtype=torch.long)
    )
    assert none.shape == (0, 4, 5)
    zero = caa(torch.zeros(1, 4, 5), attention, torch.tensor([0]))
    assert not zero.any()


def test_errors() -> None:
    with pytest.raises(ValueError, match="'score' or 'cam'"):
        CAA(refine='both')


def test_normalised_maps_span_the_unit_interval() -> None:
    """CLIP-ES stretches the refined map before it is enlarged."""
    cams, attention, images = random_case()
    plain = CAA()(cams, attention, images)
    scaled = CAA(normalise=True)(cams, attention, images)
    low = plain.flatten(1).amin(1)[:, None, None]
    high = plain.flatten(1).amax(1)[:, None, None]
    torch.testing.assert_close(scaled, (plain - low) / (high - low))
    assert scaled.flatten(1).amin(1).tolist() == [0.0] * 3
    assert scaled.flatten(1).amax(1).tolist() == [1.0] * 3
    none = CAA(normalise=True)(cams[:0], attention, images[:0])
    assert none.shape == (0, 4, 5)


@pytest.mark.parametrize(('threshold', 'level'), [(0.4, 102), (0.6, 153)])
def test_official_boxes_cut_at_a_share_of_254(threshold, level):
    """With `official` the peak has level 254, so the cut is one lower."""
    share = (level + 0.5) / 255  # of a neighbour's activation
    cams = torch.tensor([[[1e-2, 1e-2 * share, 0.0, 0.0]] * 3])
    official = min_max_over_image(cams, official=True)[0]
    assert box_mask(official, threshold)[0].tolist() == [True, True, 0, 0]
    plain = min_max_over_image(cams)[0]
    assert box_mask(plain, threshold)[0].tolist() == [True, 0, 0, 0]


def test_official_reaches_the_scores():
    """A map whose peak is as small as 1e-7 is worth less; CLIP-ES' is not."""
    cams = torch.tensor([[[1e-7, 0.0], [0.0, 0.0]]])
    attention = torch.eye(4)[None]
    image = torch.zeros(1, dtype=torch.long)

    def peak(**settings):
        caa = CAA(use_boxes=False, **settings)
        return caa(cams, attention, image).max().item()

    assert peak() == 1
    assert peak(official=True) == pytest.approx(0.5)
    assert peak(official=True, score_rounds=2) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize('refine', ['score', 'cam'])
def test_mixed_precision_changes_nothing(refine):
    cams, attention, images = random_case()
    caa = CAA(refine=refine)
    expected = caa(1e-6 * cams, attention, images)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(caa(1e-6 * cams, attention, images), expected)


def test_numbers_of_any_type():
    """Float64 is numpy's own; as a mask, uint8 would select images."""
    cams, attention, images = random_case()
    expected = CAA()(cams, attention, images)
    refined = CAA()(
        cams.double().numpy(), attention.double().numpy(), images.byte()
    )
    assert isinstance(refined, np.ndarray)
    torch.testing.assert_close(torch.from_numpy(refined), expected)
