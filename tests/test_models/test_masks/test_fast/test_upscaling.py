# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
import pytest
import torch
import torch.nn.functional as F
from segment_anything.utils.amg import batched_mask_to_box

from mmfmwsss.models.masks.fast.upscaling import (
    Frame,
    box_bounds,
    mask_boxes,
    upscale,
)

FRAMES = [
    Frame((16, 16), 64, (64, 64), (50, 50)),
    Frame((16, 16), 64, (48, 64), (375, 500)),
    Frame((16, 16), 64, (64, 31), (90, 43)),
    Frame((16, 16), 64, (64, 64), (9, 9)),
    Frame((32, 32), 128, (128, 112), (128, 112)),
]


def blobs(count, frame):
    torch.manual_seed(0)
    coarse = torch.randn(count, 1, 4, 4) - 0.5
    return F.interpolate(coarse, frame.small, mode='bicubic')[:, 0]


@pytest.mark.parametrize('frame', FRAMES)
def test_upscale_is_postprocess_masks(sam, frame, monkeypatch):
    monkeypatch.setattr(sam.image_encoder, 'img_size', frame.square)
    logits = blobs(20, frame)
    expected = sam.postprocess_masks(
        logits[:, None], frame.resized, frame.image
    )
    assert torch.equal(upscale(logits, frame), expected[:, 0])


@pytest.mark.parametrize('frame', FRAMES)
def test_bounds_hold_the_box(frame):
    logits = torch.cat([blobs(60, frame), torch.randn(60, *frame.small) - 2])
    masks = upscale(logits, frame) > 0
    boxes = mask_boxes(masks)
    inner, outer = box_bounds(logits, frame)
    some = masks.flatten(1).any(1)
    assert (outer[some, :2] <= boxes[some, :2]).all()
    assert (outer[some, 2:] >= boxes[some, 2:]).all()
    sure = inner[:, 2] >= inner[:, 0]
    assert sure.any()
    assert some[sure].all()
    assert (inner[sure, :2] >= boxes[sure, :2]).all()
    assert (inner[sure, 2:] <= boxes[sure, 2:]).all()


def test_bounds_are_tight_on_large_masks():
    frame = Frame((64, 64), 256, (192, 256), (375, 500))
    logits = -torch.ones(1, 64, 64)
    logits[:, 10:40, 5:50] = 1
    inner, outer = box_bounds(logits, frame)
    exact = mask_boxes(upscale(logits, frame) > 0)
    assert (inner - exact).abs().max() <= 16  # two small pixels
    assert (outer - exact).abs().max() <= 16


def test_mask_boxes_by_hand_and_by_segment_anything():
    masks = torch.zeros(4, 6, 8, dtype=torch.bool)
    masks[1, 2, 3] = True
    masks[2, 1:4, 2:7] = True
    masks[3] = True
    boxes = mask_boxes(masks)
    assert boxes.tolist() == [
        [0, 0, 0, 0],
        [3, 2, 3, 2],
        [2, 1, 6, 3],
        [0, 0, 7, 5],
    ]
    assert torch.equal(boxes, batched_mask_to_box(masks))
    assert mask_boxes(masks[:0]).shape == (0, 4)
