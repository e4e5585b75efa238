# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
import numpy as np
import pytest
import torch
from segment_anything import SamAutomaticMaskGenerator
from torch import nn

from mmfmwsss.models.masks import (
    EverythingSettings,
    build_sam,
    decoder,
    everything,
    generate_masks,
)

OFFICIAL = dict(whole_iou_bonus=0.0, whole_first_nms=False)
# Thresholds at which masks of the random SAM survive, and some do not.
LOOSE = dict(
    points_per_side=6,
    pred_iou_thresh=-1.0,
    stability_score_thresh=0.0,
    stability_score_offset=0.02,
    crop_n_layers=0,
    crop_n_points_downscale_factor=2,
    min_mask_region_area=0,
)
CASES = [
    dict(),
    dict(pred_iou_thresh=0.05),
    dict(stability_score_thresh=0.97),
    dict(box_nms_thresh=0.3),
    dict(box_nms_thresh=1.0),
    dict(min_mask_region_area=60),
    dict(crop_n_layers=1, crop_n_points_downscale_factor=1),
    dict(
        pred_iou_thresh=0.01,
        stability_score_thresh=0.95,
        crop_n_layers=1,
        crop_nms_thresh=0.6,
        min_mask_region_area=100,
    ),
]


def compare(sam, image, changes, fast_decoder):
    """Our masks and segment_anything's with the same settings."""
    settings = {**LOOSE, **changes}
    records = SamAutomaticMaskGenerator(
        sam, points_per_batch=16, **settings
    ).generate(image)
    ours = generate_masks(
        sam,
        image,
        EverythingSettings(**settings, **OFFICIAL),
        points_per_batch=16,
        masks_per_batch=16,
        fast_decoder=fast_decoder,
    )
    assert len(ours) == len(records) > 3
    masks = np.stack([record['segmentation'] for record in records])
    for name in ('predicted_iou', 'stability_score'):
        theirs = torch.tensor([record[name] for record in records])
        torch.testing.assert_close(
            getattr(ours, name), theirs, atol=2e-3, rtol=0, equal_nan=True
        )
    return ours, torch.from_numpy(masks)


@pytest.mark.parametrize('changes', CASES)
def test_is_segment_anythings_generator_bit_for_bit(sam, image, changes):
    ours, masks = compare(sam, image, changes, fast_decoder=False)
    assert torch.equal(ours.masks, masks)


@pytest.mark.parametrize('changes', CASES)
def test_fast_decoder_makes_the_same_masks(sam, image, changes):
    ours, masks = compare(sam, image, changes, fast_decoder=True)
    # Rounding may turn a pixel whose logit is zero.
    assert (ours.masks ^ masks).sum() <= 2


@pytest.mark.parametrize('size', [(64, 64), (33, 90), (200, 40), (20, 20)])
def test_same_masks_whatever_the_shape(sam, image, size):
    cropped = np.ascontiguousarray(
        np.tile(image, (2, 1, 1))[: size[0], : size[1]]
    )
    ours, masks = compare(sam, cropped, dict(), fast_decoder=False)
    assert torch.equal(ours.masks, masks)


class Remember(nn.Module):
    """An image encoder that encodes the same image once."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder
        self.img_size = encoder.img_size
        self.output = None

    def forward(self, image):
        if self.output is None:
            self.output = self.encoder(image)
        return self.output


@pytest.mark.slow
def test_same_masks_with_a_full_size_vit_b(image):
    torch.manual_seed(0)
    vit_b = build_sam('vit_b', None)
    vit_b.image_encoder = Remember(vit_b.image_encoder)
    changes = dict(
        points_per_side=3, stability_score_offset=1e-3, box_nms_thresh=1.0
    )
    ours, masks = compare(vit_b, image, changes, fast_decoder=False)
    assert torch.equal(ours.masks, masks)
    ours, masks = compare(vit_b, image, changes, fast_decoder=True)
    either = (ours.masks | masks).flatten(1).sum(1)
    both = (ours.masks & masks).flatten(1).sum(1)
    assert (both >= 0.99 * either).all()


@pytest.mark.parametrize('fast_decoder', [False, True])
def test_does_not_depend_on_batches(sam, image, fast_decoder):
    settings = EverythingSettings(**{**LOOSE, 'crop_n_layers': 1})
    results = [
        generate_masks(sam, image, settings, points, masks, fast_decoder)
        for points, masks in ((36, 500), (5, 7), (1, 1))
    ]
    for other in results[1:]:
        assert len(other) == len(results[0])
        assert (other.masks ^ results[0].masks).sum() <= 2
        assert torch.equal(other.levels, results[0].levels)


def test_out_of_memory_halves_the_batch(sam, image, monkeypatch):
    settings = EverythingSettings(**LOOSE)
    expected = generate_masks(sam, image, settings)
    sizes = []

    def decode(sam, embedding, points, keep_rule):
        sizes.append(len(points))
        if len(points) > 10:
            raise torch.cuda.OutOfMemoryError('out of memory')
        return decoder.decode_points(sam, embedding, points, keep_rule)

    monkeypatch.setattr(everything, 'decode_points', decode)
    found = generate_masks(sam, image, settings, points_per_batch=36)
    assert sizes == [36, 18, 9, 9, 9, 9]
    assert (found.masks ^ expected.masks).sum() <= 2


def test_whole_bonus_and_whole_first(sam, image):
    def levels(**changes):
        settings = EverythingSettings(**{**LOOSE, **changes})
        return generate_masks(sam, image, settings).level_counts()

    loose = dict(pred_iou_thresh=0.05, whole_first_nms=False)
    without = levels(**loose, whole_iou_bonus=0.0)
    bonus = levels(**loose, whole_iou_bonus=0.5)
    first = levels(pred_iou_thresh=0.05, whole_iou_bonus=0.5)
    assert without[2] < bonus[2] <= first[2]
    # Every whole candidate is then over the threshold.
    assert bonus[2] == levels(**loose, whole_iou_bonus=9.0)[2]


def test_whole_masks_come_first(sam, image):
    settings = EverythingSettings(**LOOSE)
    found = generate_masks(sam, image, settings)
    whole = found.levels == 2
    assert whole.any()
    assert not whole.all()
    assert whole[: int(whole.sum())].all()


def test_nothing_found(sam, image):
    settings = EverythingSettings(pred_iou_thresh=5.0)
    found = generate_masks(sam, image, settings)
    assert len(found) == 0
    assert found.size == image.shape[:2]
