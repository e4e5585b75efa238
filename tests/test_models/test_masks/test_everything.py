# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
from typing import Any

import numpy as np
import pytest
import torch
from segment_anything import SamAutomaticMaskGenerator
from torch import nn

from mmfmwsss.models.masks import (
    EverythingSettings,
    build_sam,
    crop_view,
    everything,
    generate_masks,
)
from mmfmwsss.models.masks.crops import point_grid
from mmfmwsss.models.masks.fast.encoder import encode_image
from mmfmwsss.models.masks.fast.upscaling import (
    Frame,
    mask_boxes,
    upscale,
)
from mmfmwsss.models.masks.mask_filters import MaskBatch
from mmfmwsss.models.masks.point_rounds import point_rounds
from mmfmwsss.models.masks.sam_decoder import PointMasks
from mmfmwsss.utils import UserInputError

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


def generate(sam, image, settings, fast_network):
    return generate_masks(
        sam,
        image,
        EverythingSettings(**settings, **OFFICIAL),
        points_per_batch=16,
        masks_per_batch=16,
        fast_network=fast_network,
    )


def check(ours, records):
    """Compare all but the pixels; segment_anything's masks."""
    assert len(ours) == len(records) > 3
    for name in ('predicted_iou', 'stability_score'):
        theirs = torch.tensor([record[name] for record in records])
        # Its masks without a pixel at either threshold have NaN, ours 0.
        torch.testing.assert_close(
            getattr(ours, name), theirs.nan_to_num(0), atol=2e-3, rtol=0
        )
    masks = np.stack([record['segmentation'] for record in records])
    return torch.from_numpy(masks)


def compare(sam, image, changes, fast_network):
    """Our masks and segment_anything's with the same settings."""
    settings = {**LOOSE, **changes}
    records = SamAutomaticMaskGenerator(
        sam, points_per_batch=16, **settings
    ).generate(image)
    ours = generate(sam, image, settings, fast_network)
    return ours, check(ours, records)


@pytest.mark.parametrize('changes', CASES)
def test_is_segment_anythings_generator_bit_for_bit(sam, image, changes):
    ours, masks = compare(sam, image, changes, fast_network=False)
    assert torch.equal(ours.masks, masks)


@pytest.mark.parametrize('changes', CASES)
def test_fast_network_makes_the_same_masks(sam, image, changes):
    ours, masks = compare(sam, image, changes, fast_network=True)
    # Rounding may turn a pixel whose logit is zero.
    assert (ours.masks ^ masks).sum() <= 2


@pytest.mark.parametrize('size', [(64, 64), (33, 90), (200, 40), (20, 20)])
def test_same_masks_whatever_the_shape(sam, image, size):
    cropped = np.ascontiguousarray(
        np.tile(image, (2, 1, 1))[: size[0], : size[1]]
    )
    ours, masks = compare(sam, cropped, dict(), fast_network=False)
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
def test_same_masks_with_a_full_size_vit_b(image, monkeypatch):
    torch.manual_seed(0)
    vit_b = build_sam('vit_b', None)
    network, embeddings = vit_b.image_encoder, []

    def encode(encoder, pixels):
        embeddings.append(encode_image(network, pixels))
        return embeddings[-1]

    monkeypatch.setattr(crop_view, 'encode_image', encode)
    vit_b.image_encoder = Remember(network)
    # Random masks are noise; what tells them apart is the predicted IoU.
    settings = LOOSE | dict(
        points_per_side=3, stability_score_offset=1e-3, box_nms_thresh=1.0
    )
    complete = generate(vit_b, image, settings, fast_network=False)
    scores = complete.predicted_iou.sort().values
    gap = 5 + int(scores[5:-5].diff().argmax())
    settings['pred_iou_thresh'] = float(scores[gap : gap + 2].mean())
    records = SamAutomaticMaskGenerator(
        vit_b, points_per_batch=16, **settings
    ).generate(image)
    assert len(records) < len(complete)
    ours = generate(vit_b, image, settings, fast_network=False)
    assert torch.equal(ours.masks, check(ours, records))
    ours = generate(vit_b, image, settings, fast_network=True)
    masks = check(ours, records)
    either = (ours.masks | masks).flatten(1).sum(1)
    both = (ours.masks & masks).flatten(1).sum(1)
    assert (both >= 0.99 * either).all()
    (embedding,) = embeddings
    torch.testing.assert_close(
        embedding, vit_b.image_encoder.output, atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize('fast_network', [False, True])
def test_does_not_depend_on_batches(sam, image, fast_network):
    settings = EverythingSettings(**{**LOOSE, 'crop_n_layers': 1})
    results = [
        generate_masks(sam, image, settings, points, masks, fast_network)
        for points, masks in ((36, 500), (5, 7), (1, 1))
    ]
    for other in results[1:]:
        assert len(other) == len(results[0])
        assert (other.masks ^ results[0].masks).sum() <= 2
        assert torch.equal(other.levels, results[0].levels)


@pytest.mark.parametrize('fast_network', [False, True])
@pytest.mark.parametrize('most', [20, 5, 1])
def test_out_of_memory_halves_the_batch(
    sam, image, monkeypatch, most, fast_network
):
    """The decoder takes few points, and upscaling few masks."""
    settings = EverythingSettings(**(LOOSE | dict(crop_n_layers=1)))
    options = dict(points_per_batch=36, fast_network=fast_network)
    expected = generate_masks(sam, image, settings, **options)
    name = 'FastDecoder' if fast_network else 'PlainDecoder'
    points_seen, masks_seen = [], []

    decoder: Any = getattr(crop_view, name)

    class Limited(decoder):
        def batch_size(self, points):
            return points

        def decode(self, points):
            points_seen.append(len(points))
            if len(points) > most:
                raise torch.cuda.OutOfMemoryError('out of memory')
            return super().decode(points)

    def limited_upscale(logits, frame):
        masks_seen.append(len(logits))
        if len(logits) > most:
            raise RuntimeError('DefaultCPUAllocator: not enough memory')
        return upscale(logits, frame)

    monkeypatch.setattr(crop_view, name, Limited)
    monkeypatch.setattr(everything, 'upscale', limited_upscale)
    found = generate_masks(sam, image, settings, **options)
    assert points_seen[:2] == [36, 18]
    assert max(points_seen) > most < max(masks_seen)
    assert len(found) == len(expected) > 3
    assert (found.masks ^ expected.masks).sum() <= 2
    assert torch.equal(found.levels, expected.levels)


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


class Decoded:
    """Three masks of a point, with given scores and logits."""

    def __init__(self, iou, logits):
        self.predicted_iou = torch.tensor([iou])
        self.logits = torch.tensor([logits])

    def decode(self, points):
        return self

    def masks(self, keep):
        levels = keep.nonzero()[:, 1]
        return PointMasks(
            self.logits[0, levels], self.predicted_iou[0, levels], levels
        )


@pytest.mark.parametrize(
    ('iou', 'levels'),
    [
        ([0.86, 0.87, 0.70], [1]),  # more than 0.86, not 0.86
        ([0.80, 0.80, 0.80], [2]),  # a whole one needs more than 0.76
        ([0.90, 0.75, 0.75], [0]),
    ],
)
def test_the_paper_lowers_the_threshold_of_whole_masks_alone(iou, levels):
    decoder = Decoded(iou, [[[0.0]]] * 3)
    kept = everything._decode_batch(
        torch.zeros(1, 2), decoder, EverythingSettings()
    )
    assert kept.levels.tolist() == levels


@pytest.mark.parametrize(('threshold', 'count'), [(0.5, 1), (0.51, 0)])
def test_a_mask_that_just_reaches_the_stability_is_kept(threshold, count):
    settings = EverythingSettings(stability_score_thresh=threshold)
    frame = Frame((1, 4), 4, (1, 4), (1, 4))
    view = crop_view.CropView((0, 0, 4, 1), (1, 4), None, None, None, frame)
    # Two pixels over 1, four over -1
    logits = [[[[9.0, 9.0, 0.5, 0.5]]]] * 3
    point = Decoded([1.0] * 3, logits).masks(torch.tensor([[1, 0, 0]]) > 0)
    point.logits = point.logits[0]
    kept = everything._upscale_and_filter(
        torch.tensor([0]), point, view, settings
    )
    assert len(kept.masks) == count


def test_of_duplicates_the_mask_that_was_not_tidied_is_kept():
    masks = torch.zeros(2, 20, 20, dtype=torch.bool)
    masks[:, 2:18, 2:18] = True
    masks[0, 8, 8] = False  # a hole, which is filled
    batch = MaskBatch(
        masks,
        mask_boxes(masks),
        torch.tensor([0, 1]),
        torch.ones(2),
        torch.ones(2),
        torch.ones(2),
    )
    tidied = everything._tidy(batch, EverythingSettings())
    assert tidied.levels.tolist() == [1]


@pytest.mark.parametrize('fast_network', [False, True])
@pytest.mark.parametrize('size', [(1, 1), (2, 1), (1, 60)])
def test_pictures_of_a_pixel_have_masks(sam, size, fast_network):
    picture = np.zeros((*size, 3), np.uint8)
    settings = EverythingSettings(**(LOOSE | dict(crop_n_layers=1)))
    found = generate_masks(sam, picture, settings, fast_network=fast_network)
    assert found.size == size
    assert found.stability_score.isfinite().all()


@pytest.mark.parametrize('size', [(1, 300), (6000, 3)])
def test_a_strip_that_sam_cannot_see_is_refused(sam, size):
    picture = np.zeros((*size, 3), np.uint8)
    with pytest.raises(UserInputError, match='128 times as long'):
        generate_masks(sam, picture, EverythingSettings(points_per_side=2))


def test_nothing_found(sam, image):
    settings = EverythingSettings(pred_iou_thresh=5.0)
    found = generate_masks(sam, image, settings)
    assert len(found) == 0
    assert found.size == image.shape[:2]


def uncovered_points(sam, image, settings):
    """Follow the rounds point by point; numbers of those it decodes."""
    height, width = image.shape[:2]
    side = settings.points_per_side
    view = crop_view.encode_crop(
        sam, image, (0, 0, width, height), point_grid(side), False
    )
    covered = np.zeros((side, side), bool)
    decoded = []
    for numbers in point_rounds(side):
        found = []
        for row, column in (divmod(int(n), side) for n in numbers):
            if covered[row, column]:
                continue
            decoded.append(row * side + column)
            points = view.decoder.decode(view.points[decoded[-1:]])
            masks = points.masks(points.predicted_iou > -1)
            logits = sam.postprocess_masks(
                masks.logits[None], view.frame.resized, (height, width)
            )[0]
            stable = (logits > 0.02).sum((1, 2)) / (logits > -0.02).sum((1, 2))
            found += logits[(stable >= 0.9) & (masks.levels > 0)] > 0
        for row, column in np.ndindex(side, side):
            y = int((row + 0.5) / side * height)
            x = int((column + 0.5) / side * width)
            covered[row, column] |= any(mask[y, x] for mask in found)
    return decoded, view.points


@pytest.mark.parametrize('fast_network', [False, True])
def test_covered_points_are_not_decoded(sam, image, monkeypatch, fast_network):
    settings = EverythingSettings(
        **(LOOSE | dict(points_per_side=8, stability_score_thresh=0.9)),
        skip_covered_points=True,
    )
    expected, points = uncovered_points(sam, image, settings)
    assert 4 < len(expected) < 64
    decoded = []
    name = 'FastDecoder' if fast_network else 'PlainDecoder'
    decoder: Any = getattr(crop_view, name)

    class Remembering(decoder):
        def decode(self, points):
            decoded.append(points)
            return super().decode(points)

    monkeypatch.setattr(crop_view, name, Remembering)
    for batches in ((64, 64), (3, 2)):
        decoded.clear()
        found = generate_masks(sam, image, settings, *batches, fast_network)
        assert torch.equal(torch.cat(decoded), points[expected])
        assert len(found) > 0


def test_fewer_masks_of_a_large_photo_are_upscaled_at_once(
    sam, image, monkeypatch
):
    settings = EverythingSettings(**(LOOSE | dict(crop_n_layers=1)))
    expected = generate_masks(sam, image, settings)
    seen = []

    def remembering_upscale(logits, frame):
        seen.append(len(logits) * frame.image[0] * frame.image[1])
        return upscale(logits, frame)

    most = 3 * image.shape[0] * image.shape[1]
    monkeypatch.setattr(everything, '_MOST_LOGITS', most)
    monkeypatch.setattr(everything, 'upscale', remembering_upscale)
    found = generate_masks(sam, image, settings)
    assert most / 2 < max(seen) <= most
    assert len(found) == len(expected) > 3
    assert (found.masks ^ expected.masks).sum() <= 2
