# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
import numpy as np
import pytest
import torch
from segment_anything.utils import amg
from torchvision.ops import box_iou, nms

from mmfmwsss.models.masks.mask_filters import (
    MaskBatch,
    box_iou_bound,
    drop_duplicates,
    near_crop_edge,
    remove_small_regions,
    stability_score,
    suppress,
    surely_suppressed,
)


def random_boxes(count, seed=0):
    torch.manual_seed(seed)
    start = torch.randint(0, 60, (count, 2))
    return torch.cat([start, start + torch.randint(1, 40, (count, 2))], 1)


def test_stability_score_by_hand():
    logits = torch.tensor([[[2.0, 0.5, -0.5, -2.0]]])
    assert stability_score(logits, 0, 1).tolist() == pytest.approx([1 / 3])
    expected = amg.calculate_stability_score(logits, 0, 1)
    assert torch.equal(stability_score(logits, 0, 1), expected)


def test_stability_of_an_empty_and_of_a_very_wide_mask():
    assert stability_score(torch.full((1, 2, 3), -9.0), 0, 1).tolist() == [0]
    strip = torch.full((1, 2, 40_000), 0.5)  # 16 bits would not count it
    strip[..., :10_000] = 2.0
    assert stability_score(strip, 0, 1).tolist() == [0.25]


def test_boxes_that_overlap_just_as_much_are_both_kept():
    boxes = torch.tensor([[0, 0, 4, 4], [0, 0, 8, 4]])  # IoU 1 / 2
    bounds = (boxes[:1], boxes[:1])
    assert surely_suppressed(bounds, boxes[1:], 0.5).tolist() == [False]
    assert surely_suppressed(bounds, boxes[1:], 0.49).tolist() == [True]


def test_near_crop_edge_is_segment_anythings():
    crop, size = (40, 30, 140, 100), (150, 200)
    boxes = random_boxes(200) + torch.tensor([40, 30, 40, 30])
    expected = amg.is_box_near_crop_edge(
        boxes - torch.tensor([40, 30, 40, 30]),
        list(crop),
        [0, 0, size[1], size[0]],
    )
    assert 0 < expected.sum() < 200
    assert torch.equal(near_crop_edge(boxes, crop, size), expected)


def test_box_iou_bound():
    boxes, others = random_boxes(50), random_boxes(30, seed=1)
    exact = box_iou(boxes.float(), others.float())
    torch.testing.assert_close(
        box_iou_bound(boxes, boxes, others).float(), exact
    )
    grow = torch.tensor([-2, -2, 2, 2])
    bound = box_iou_bound(boxes - grow, boxes + grow, others)
    assert (bound <= exact).all()
    assert (bound[exact > 0.5] > 0).all()


def batch_of(numbers, boxes, scores):
    """Masks without pixels; their levels are their numbers."""
    nothing = torch.zeros(len(numbers))
    return MaskBatch(
        nothing, boxes[numbers], numbers, nothing, nothing, scores[numbers]
    )


@pytest.mark.parametrize('batch_size', [1, 8, 500])
@pytest.mark.parametrize('slack', [0, 1, 4])
@pytest.mark.parametrize('threshold', [0.3, 0.7])
def test_suppression_by_batches_is_nms(batch_size, slack, threshold):
    """Suppress by bounds first, then exactly, as everything mode does."""
    boxes = random_boxes(300)
    scores = torch.randint(0, 50, (300,)) / 50  # with ties
    grow = torch.tensor([-slack, -slack, slack, slack])
    order = scores.argsort(descending=True, stable=True)
    kept, unseen = batch_of(order[:0], boxes, scores), 0
    for numbers in order.split(batch_size):
        bounds = (boxes[numbers] - grow, boxes[numbers] + grow)
        sure = surely_suppressed(bounds, kept.boxes, threshold)
        unseen += int(sure.sum())
        batch = batch_of(numbers[~sure], boxes, scores)
        kept = MaskBatch.cat([kept, suppress(batch, kept.boxes, threshold)])
    expected = nms(boxes.float(), scores, threshold)
    assert kept.levels.tolist() == expected.tolist()
    if batch_size < 500 and slack == 0:
        assert unseen > 0


def test_duplicates_go_by_preference():
    boxes = torch.tensor([[0, 0, 9, 9], [0, 0, 9, 10], [50, 50, 60, 60]])
    masks = batch_of(torch.arange(3), boxes, torch.zeros(3))
    kept = drop_duplicates(masks, torch.tensor([0.1, 0.5, 0.3]), 0.7)
    assert kept.levels.tolist() == [1, 2]
    kept = drop_duplicates(masks, torch.tensor([0.5, 0.1, 0.3]), 0.95)
    assert kept.levels.tolist() == [0, 2, 1]


@pytest.mark.parametrize('seed', range(5))
@pytest.mark.parametrize('min_area', [1, 4, 30, 5000])
def test_remove_small_regions_is_segment_anythings(seed, min_area):
    rng = np.random.default_rng(seed)
    mask = rng.uniform(size=(40, 30)) < rng.uniform(0.3, 0.9)
    expected, filled = amg.remove_small_regions(mask, min_area, 'holes')
    expected, cleared = amg.remove_small_regions(expected, min_area, 'islands')
    result, changed = remove_small_regions(mask, min_area)
    np.testing.assert_array_equal(result, expected)
    assert changed == (filled or cleared)


def test_remove_small_regions_leaves_clean_masks():
    mask = np.zeros((20, 20), bool)
    mask[5:15, 5:15] = True
    result, changed = remove_small_regions(mask, 50)
    assert not changed
    np.testing.assert_array_equal(result, mask)
