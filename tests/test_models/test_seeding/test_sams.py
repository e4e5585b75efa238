# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""SAMS against a loop written from the paper, by hand, and at its limits."""

import numpy as np
import pytest
import torch
from mmseg.registry import TASK_UTILS

from mmfmwsss.models.seeding.sams import (
    SAMS,
    background_score,
    classify_masks,
    classify_masks_by_probability,
    mask_means,
    mask_scores,
)
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError


def test_scores_by_hand():
    cams = torch.tensor([[[4.0, 2.0, -9.0, 1.0]]])
    masks = torch.tensor([[[1, 1, 0, 0]], [[0, 1, 1, 0]], [[0, 0, 1, 1]]])
    # means of the clamped CAM: 3, 1, 0.5
    scores = mask_scores(*mask_means(masks.bool(), cams))
    torch.testing.assert_close(scores[:, 0], torch.tensor([1, 0.2, 0.0]))
    decisions = classify_masks(masks.bool(), cams, alpha=2.0)
    expected = torch.tensor([0.0, 0.64, 1.0])
    torch.testing.assert_close(decisions.scores[:, 0], expected)
    assert decisions.winner.tolist() == [1, 0, 0]


def test_official_divides_by_a_little_more():
    cams = torch.tensor([[[1e-7, 0.0]]])
    masks = torch.eye(2).view(2, 1, 2).bool()
    assert mask_scores(*mask_means(masks, cams)).flatten().tolist() == [1, 0]
    scores = mask_scores(*mask_means(masks, cams), official=True)
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


@pytest.mark.parametrize('alpha', [0.5, 1.0, 2.0])
def test_background_by_hand(alpha):
    scores = torch.tensor([[0.25, 1.0], [0.75, 0.0]])
    expected = torch.tensor([0.25**alpha, 0.0])
    torch.testing.assert_close(background_score(scores, alpha), expected)
    assert background_score(torch.zeros(0, 3), alpha).tolist() == [1, 1, 1]


def make_masks(masks, levels=None):
    count = len(masks)
    return SAMMasks(
        masks=torch.as_tensor(masks).bool(),
        levels=torch.as_tensor(levels or [2] * count, dtype=torch.int64),
        predicted_iou=torch.ones(count),
        stability_score=torch.ones(count),
    )


def random_case(seed, count=12, classes=3, size=(13, 17)):
    rng = np.random.default_rng(seed)
    masks = np.zeros((count, *size), bool)
    for mask in masks:
        y, x = rng.integers(0, size[0] - 3), rng.integers(0, size[1] - 3)
        mask[y : y + rng.integers(1, 9), x : x + rng.integers(1, 9)] = True
    cams = torch.from_numpy(rng.normal(size=(classes, *size))).float()
    labels = torch.from_numpy(rng.permutation(20)[:classes])
    levels = rng.integers(0, 3, count).tolist()
    return cams, labels, make_masks(masks, levels)


def slow_sams(cams, classes, masks, alpha):
    """Section 4.2 pixel by pixel, in double precision."""
    activation = np.maximum(cams.double().numpy(), 0)
    height, width = masks.size
    scores = np.zeros((len(masks), len(classes)))
    for i, mask in enumerate(masks.masks.numpy()):
        for c in range(len(classes)):
            total = 0.0
            for u in range(height):
                for v in range(width):
                    total += activation[c, u, v] * mask[u, v]
            scores[i, c] = total / mask.sum()
    means = scores.copy()
    scores -= scores.min(0)
    scores /= scores.max(0)
    decided = []
    for i, row in enumerate(scores):
        every = [(1 - row.max()) ** alpha, *row]
        best = int(np.argmax(every))
        if best > 0:  # of the classes that tie, the most active one
            tied = [c for c in range(len(row)) if row[c] == row.max()]
            best = 1 + max(tied, key=lambda c: means[i, c])
        decided.append((int(masks.levels[i]), every[best], best, i))
    seed = np.zeros((height, width), np.uint8)
    for _, _, best, i in sorted(decided, key=lambda d: d[:2]):
        label = 0 if best == 0 else int(classes[best - 1]) + 1
        seed[masks.masks[i].numpy()] = label
    return seed


@pytest.mark.parametrize('alpha', [0.6, 1.0, 2.0])
@pytest.mark.parametrize('seed', range(8))
def test_equals_slow_loop(seed, alpha):
    cams, classes, masks = random_case(seed)
    fast = SAMS(alpha=alpha)(cams, classes, masks)
    assert fast.dtype == torch.uint8
    np.testing.assert_array_equal(
        fast.numpy(), slow_sams(cams, classes, masks, alpha)
    )


def test_level_beats_score_and_background_hides():
    cams = torch.tensor([[[9.0, 0.0, 0.0, 0.0, 0.0]]])
    part, whole = [[1, 1, 0, 0, 0]], [[0, 1, 1, 1, 0]]
    masks = make_masks([part, whole], [1, 2])
    seed = SAMS()(cams, torch.tensor([4]), masks)
    assert seed.tolist() == [[5, 0, 0, 0, 0]]
    lower = make_masks([part, whole], [2, 1])
    seed = SAMS()(cams, torch.tensor([4]), lower)
    assert seed.tolist() == [[5, 5, 0, 0, 0]]


def test_tie_goes_to_background():
    cams = torch.tensor([[[2.0, 1.0, 0.0]]])
    masks = make_masks(torch.eye(3).view(3, 1, 3))
    seed = SAMS(alpha=1.0)(cams, torch.tensor([0]), masks)
    assert seed.tolist() == [[1, 0, 0]]


@pytest.mark.parametrize('official', [False, True])
def test_the_strongest_mask_of_two_classes_goes_to_the_more_active(official):
    cams = torch.tensor([[[1e-4, 0.0]], [[3e-2, 0.0]]])
    masks = make_masks([[[1, 0]], [[0, 1]]])
    classes = torch.tensor([5, 15])
    assert SAMS(official=official)(cams, classes, masks).tolist() == [[16, 0]]
    swapped = SAMS(official=official)(cams.flip(0), classes.flip(0), masks)
    assert swapped.tolist() == [[16, 0]]


def test_invariants():
    cams, classes, masks = random_case(3)
    seed = SAMS()(cams, classes, masks)
    scaled = SAMS()(cams * 7.5, classes, masks)
    assert torch.equal(seed, scaled)
    shuffle = torch.randperm(len(masks))
    assert torch.equal(seed, SAMS()(cams, classes, masks.filter(shuffle)))
    assert (seed[~masks.masks.any(0)] == 0).all()
    assert set(seed.unique().tolist()) <= {0, *(classes + 1).tolist()}


def test_no_masks():
    cams, classes, _ = random_case(0)
    empty = SAMMasks.empty((13, 17))
    assert (SAMS()(cams, classes, empty) == 0).all()
    assert (SAMS().refine(cams.softmax(0), empty) == 0).all()
    with pytest.raises(UserInputError, match='without masks'):
        SAMS(official=True)(cams, classes, empty)


def test_one_mask_and_equal_scores():
    cams = torch.ones(2, 2, 4) * torch.tensor([3.0, -1.0]).view(2, 1, 1)
    classes = torch.tensor([6, 7])
    one = make_masks([[[1, 1, 0, 0], [1, 1, 0, 0]]])
    expected = [[7, 7, 0, 0], [7, 7, 0, 0]]
    assert SAMS()(cams, classes, one).tolist() == expected
    assert (SAMS(official=True)(cams, classes, one) == 0).all()
    two = make_masks(torch.stack([one.masks[0], one.masks[0].flip(1)]))
    assert (SAMS()(cams, classes, two) == 7).all()
    assert (SAMS(official=True)(cams, classes, two) == 0).all()


def test_zero_cam_no_class_and_empty_mask():
    cams, classes, masks = random_case(5)
    assert (SAMS()(cams * 0, classes, masks) == 0).all()
    assert (SAMS()(cams[:0], classes[:0], masks) == 0).all()
    masks.masks[4] = False
    others = masks.filter(torch.arange(12) != 4)
    seed = SAMS()(cams, classes, masks)
    assert torch.equal(seed, SAMS()(cams, classes, others))


def test_half_precision_cams():
    cams, classes, masks = random_case(6)
    half = SAMS()(cams.half(), classes, masks)
    assert torch.equal(half, SAMS()(cams.half().float(), classes, masks))


def test_refine_by_hand():
    foreground = torch.tensor([[0.9, 0.5, 0.1, 0.6]])
    probabilities = torch.stack([1 - foreground, foreground])
    masks = make_masks([[[1, 1, 0, 0]], [[0, 0, 1, 0]]])
    assert SAMS().refine(probabilities, masks).tolist() == [[1, 1, 0, 0]]
    keep = SAMS(uncovered='prediction')
    assert keep.refine(probabilities, masks).tolist() == [[1, 1, 0, 1]]
    # (background 0.3)^0.2 = 0.79 beats 0.7
    eager = SAMS(refine_alpha=0.2)
    assert eager.refine(probabilities, masks).tolist() == [[0, 0, 0, 0]]


def test_registered_and_checked():
    seeder = TASK_UTILS.build(dict(type='SAMS', alpha=0.7))
    assert seeder.alpha == 0.7 and seeder.needs_masks
    with pytest.raises(ValueError, match='uncovered must be'):
        SAMS(uncovered='white')
    cams, classes, masks = random_case(0)
    with pytest.raises(UserInputError, match='needs the masks'):
        SAMS()(cams, classes)
    with pytest.raises(UserInputError, match='of the size of the score maps'):
        SAMS()(cams[:, 1:], classes, masks)


def test_masks_of_low_confidence_become_ignored():
    # Means 0.9, 0.5 and 0.1 stretch to 1, 0.5 and 0: background scores
    # 0, 0.5^0.6 = 0.66 and 1.
    masks = torch.zeros(3, 1, 4)
    for i in range(3):
        masks[i, 0, i] = 1
    cams = torch.tensor([[[0.9, 0.5, 0.1, 0.0]]])
    classes = torch.tensor([6])
    record = make_masks(masks)
    plain = SAMS(alpha=0.6)(cams, classes, record)
    assert plain.tolist() == [[7, 0, 0, 0]]
    assert (SAMS(min_confidence=0.65)(cams, classes, record) == plain).all()
    found = SAMS(min_confidence=0.67)(cams, classes, record)
    assert found.dtype == torch.uint8
    assert found.tolist() == [[7, 255, 0, 0]]


def test_confidence_only_takes_away():
    cams, classes, masks = random_case(7)
    plain = SAMS()(cams, classes, masks)
    shares = []
    for least in (0.0, 0.3, 0.6, 0.9, 1.0):
        seed = SAMS(min_confidence=least)(cams, classes, masks)
        kept = seed != 255
        assert (seed[kept] == plain[kept]).all()
        shares.append(float(kept.float().mean()))
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 1.0 > shares[-1]


@pytest.mark.parametrize('least', [-0.1, 1.1])
def test_wrong_confidence(least):
    with pytest.raises(ValueError, match=r'min_confidence in 0\.\.1'):
        SAMS(min_confidence=least)


def test_the_defaults_are_the_papers():
    cams, _, masks = random_case(2)
    plain = classify_masks(masks.masks, cams)
    paper = classify_masks(masks.masks, cams, alpha=0.6)
    assert torch.equal(plain.scores, paper.scores)
    # Probabilities: 0.51 of background against 0.49 is not changed
    near = torch.tensor([0.51, 0.49]).view(2, 1, 1)
    whole = make_masks([[[1]]])
    assert SAMS().refine(near, whole).tolist() == [[0]]
    assert SAMS(refine_alpha=1.1).refine(near, whole).tolist() == [[1]]
    nearer = torch.tensor([0.49, 0.51]).view(2, 1, 1)
    assert SAMS().refine(nearer, whole).tolist() == [[1]]
    assert SAMS(refine_alpha=0.9).refine(nearer, whole).tolist() == [[0]]


def test_officially_the_first_class_wins_ties():
    """CAMs so high that 1e-7 does not tell their scores apart."""
    cams = torch.tensor([[[100.0, 0.0]], [[300.0, 0.0]]])
    masks = make_masks([[[1, 0]], [[0, 1]]])
    classes = torch.tensor([5, 15])
    assert SAMS()(cams, classes, masks).tolist() == [[16, 0]]
    official = SAMS(official=True)
    assert official(cams, classes, masks).tolist() == [[6, 0]]
    swapped = official(cams.flip(0), classes.flip(0), masks)
    assert swapped.tolist() == [[16, 0]]


def test_masks_that_reach_the_confidence_are_kept():
    cams = torch.tensor([[[9.0, 4.0, 0.0]]])
    masks = make_masks(torch.eye(3).view(3, 1, 3))
    # Scores 1, 4 / 9 against (5 / 9)^0.6 = 0.70, and background 1
    seed = SAMS(min_confidence=1.0)(cams, torch.tensor([2]), masks)
    assert seed.tolist() == [[3, 255, 0]]
