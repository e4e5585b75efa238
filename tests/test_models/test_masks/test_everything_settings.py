# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Settings of the everything mode that leave a crop without a point."""

import pytest

from mmfmwsss.models.masks.crops import point_grid
from mmfmwsss.models.masks.everything_settings import EverythingSettings
from mmfmwsss.utils import UserInputError


@pytest.mark.parametrize(
    ('side', 'layers', 'factor'), [(1, 0, 2), (2, 1, 2), (4, 2, 2), (9, 2, 3)]
)
def test_the_smallest_crops_have_one_point(side, layers, factor):
    settings = EverythingSettings(
        points_per_side=side,
        crop_n_layers=layers,
        crop_n_points_downscale_factor=factor,
    )
    smallest = settings.points_per_side // factor**settings.crop_n_layers
    assert point_grid(smallest).tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize(('side', 'layers'), [(0, 0), (1, 1), (3, 2)])
def test_a_crop_without_a_point_is_refused(side, layers):
    with pytest.raises(UserInputError, match=f'Set it to {2**layers} or more'):
        EverythingSettings(points_per_side=side, crop_n_layers=layers)


def test_the_defaults_are_the_recipe_of_the_paper():
    """The heavy settings of segment_anything, with two modifications.

    Whole masks need a predicted IoU of 0.76, others 0.86, and come first.
    """
    assert EverythingSettings() == EverythingSettings(
        points_per_side=32,
        pred_iou_thresh=0.86,
        whole_iou_bonus=0.1,
        stability_score_thresh=0.92,
        stability_score_offset=1.0,
        box_nms_thresh=0.7,
        whole_first_nms=True,
        crop_n_layers=1,
        crop_nms_thresh=0.7,
        crop_overlap_ratio=512 / 1500,
        crop_n_points_downscale_factor=2,
        min_mask_region_area=100,
        skip_covered_points=False,
    )
