# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Settings of SAM's everything mode: its prompts and its filters."""

from dataclasses import dataclass

from ...utils import UserInputError

__all__ = ['EverythingSettings']


@dataclass(frozen=True)
class EverythingSettings:
    """Settings of the everything mode; the defaults are the paper's recipe.

    Attributes:
        points_per_side (int): Grid of point prompts on the whole image.
        pred_iou_thresh (float): A mask's predicted IoU must be larger.
        whole_iou_bonus (float): Added to the predicted IoU of whole masks
            for that comparison: more whole masks.
        stability_score_thresh (float): A mask's stability must reach it.
        stability_score_offset (float): Shift of the logit threshold for the
            stability score.
        box_nms_thresh (float): Box IoU above which two masks of a crop are
            one.
        whole_first_nms (bool): Of the two keep the whole mask, whatever the
            predicted IoU.
        crop_n_layers (int): Layers of overlapping crops beside the image.
        crop_nms_thresh (float): The same as ``box_nms_thresh``, between crops.
        crop_overlap_ratio (float): Overlap of crops, share of the short side.
        crop_n_points_downscale_factor (int): Points per side shrink by this
            factor from layer to layer.
        min_mask_region_area (int): Smaller holes and islands go, pixels.
        skip_covered_points (bool): Lay the grid in rounds, coarse to fine,
            and leave out points that a part or a whole of an earlier round
            covers: several times fewer points, and somewhat other masks. Not
            in the paper.

    Raises:
        UserInputError: If the smallest crops would have no point.
    """

    points_per_side: int = 32
    pred_iou_thresh: float = 0.86
    whole_iou_bonus: float = 0.1
    stability_score_thresh: float = 0.92
    stability_score_offset: float = 1.0
    box_nms_thresh: float = 0.7
    whole_first_nms: bool = True
    crop_n_layers: int = 1
    crop_nms_thresh: float = 0.7
    crop_overlap_ratio: float = 512 / 1500
    crop_n_points_downscale_factor: int = 2
    min_mask_region_area: int = 100
    skip_covered_points: bool = False

    def __post_init__(self) -> None:
        factor = self.crop_n_points_downscale_factor**self.crop_n_layers
        if self.points_per_side < factor:
            raise UserInputError(
                'Expected a point or more on each crop, but got '
                f'`points_per_side` {self.points_per_side}, which '
                f'{self.crop_n_layers} layers of crops divide by {factor}. '
                f'Set it to {factor} or more, or lower `crop_n_layers`.'
            )
