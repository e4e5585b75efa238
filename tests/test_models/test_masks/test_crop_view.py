# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A crop as the network sees it: by hand, and against SAM's predictor."""

from typing import Any

import numpy as np
import pytest
import torch
from segment_anything import SamPredictor
from segment_anything.modeling import Sam

from mmfmwsss.models.masks.crop_view import encode_crop
from mmfmwsss.models.masks.fast.decoder import FastDecoder
from mmfmwsss.models.masks.sam_decoder import PlainDecoder

GRID = torch.tensor([[0.25, 0.5], [0.75, 0.1]], dtype=torch.float64)


def test_points_by_hand(sam: Sam, image: Any) -> None:
    # 60 x 120 pixels fill 32 x 64 of the network's square of 64
    view = encode_crop(sam, image, (30, 10, 150, 70), GRID, True)
    assert view.image == (150, 210) and view.crop == (30, 10, 150, 70)
    assert view.places.tolist() == [[30, 30], [90, 6]]
    expected = torch.tensor([[16.0, 16.0], [48.0, 3.2]], dtype=torch.float64)
    torch.testing.assert_close(view.points, expected)
    assert isinstance(view.decoder, FastDecoder)


@pytest.mark.parametrize('crop', [(0, 0, 210, 150), (30, 10, 90, 140)])
def test_masks_are_those_of_the_predictor(
    sam: Sam, image: Any, crop: tuple[int, int, int, int]
) -> None:
    x0, y0, x1, y1 = crop
    predictor = SamPredictor(sam)
    predictor.set_image(np.ascontiguousarray(image[y0:y1, x0:x1]))
    points = torch.tensor([[x1 - x0, y1 - y0]]) * GRID
    scaled = predictor.transform.apply_coords_torch(points, (y1 - y0, x1 - x0))
    _, iou, logits = predictor.predict_torch(
        scaled[:, None], torch.ones(2, 1), return_logits=True
    )
    views = [
        encode_crop(sam, image, crop, GRID, fast) for fast in (False, True)
    ]
    plain, fast = (view.decoder.decode(view.points) for view in views)
    assert isinstance(views[0].decoder, PlainDecoder)
    assert torch.equal(plain.predicted_iou, iou)
    masks = plain.masks(torch.ones(2, 3, dtype=torch.bool)).logits
    assert torch.equal(masks, logits.flatten(0, 1))
    torch.testing.assert_close(fast.predicted_iou, iou, atol=1e-4, rtol=1e-3)
