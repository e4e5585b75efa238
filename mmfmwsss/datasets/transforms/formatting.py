# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pack a picture, its image-level labels and its SAM masks for the model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmseg.datasets.transforms import PackSegInputs
from mmseg.registry import TRANSFORMS
from mmseg.structures import SegDataSample

from ...structures import SAMMasks
from ...utils.image_names import image_name_of

__all__ = ['PackWSSSInputs', 'pack_failure']

# Of the placeholder that stands for an unreadable picture, in pixels.
_FAILURE_SIDE = 32


@TRANSFORMS.register_module()
class PackWSSSInputs(PackSegInputs):
    """Pack as mmseg does, and add what weak supervision needs.

    ``data_sample.image_labels`` is a bool tensor (C,); it is there when the
    data set knows the labels. ``data_sample.sam_masks`` is a ``SAMMasks`` of
    the packed image's size or, if the masks did not follow the image, of the
    original one; masks that a crop left empty are dropped.

    Args:
        meta_keys (Sequence[str]): Keys to pack as meta information.
    """

    def __init__(
        self,
        meta_keys: Sequence[str] = (
            'img_path',
            'image_name',
            'seg_map_path',
            'ori_shape',
            'img_shape',
            'pad_shape',
            'scale_factor',
            'flip',
            'flip_direction',
            'reduce_zero_label',
            'sample_idx',
        ),
    ) -> None:
        super().__init__(meta_keys=tuple(meta_keys))

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Turn ``results`` into ``inputs`` and ``data_samples``."""
        # Pack image and label map as mmseg does
        packed: dict[str, Any] = super().transform(results)
        sample = packed['data_samples']
        if 'image_labels' in results:
            labels = np.asarray(results['image_labels'], dtype=bool)
            sample.image_labels = torch.from_numpy(labels)
        # Add SAM's masks, as far as the crop shows them
        if 'sam_masks' in results:
            sample.sam_masks = _unpack_masks(results)
        return packed


def _unpack_masks(results: dict[str, Any]) -> SAMMasks:
    # Take the masks as loaded if they did not follow the image
    masks: SAMMasks = results['sam_masks']
    if 'sam_mask_planes' not in results:
        return masks
    # The loader may have added an empty channel.
    planes = results['sam_mask_planes'][..., : max(1, -(-len(masks) // 8))]
    # Keep the masks of which the crop shows a pixel
    masks = masks.with_packed(planes)
    return masks.filter(masks.nonempty())


def pack_failure(data_info: dict[str, Any], message: str) -> dict[str, Any]:
    """Pack a placeholder for a picture that could not be read.

    Args:
        data_info (dict): The data set's record of the picture.
        message (str): What went wrong; goes to ``metainfo['failure']``.

    Returns:
        dict: ``inputs``, a small black image, and ``data_samples``. The model
        may predict on it; metrics count it and score nothing.
    """
    # Describe a small black picture, with the reason for it
    size = (_FAILURE_SIDE, _FAILURE_SIDE)
    sample = SegDataSample()
    sample.set_metainfo(
        {
            'img_path': data_info['img_path'],
            'image_name': image_name_of(data_info),
            'sample_idx': data_info.get('sample_idx'),
            'failure': message,
            'ori_shape': size,
            'img_shape': size,
            'pad_shape': size,
            'scale_factor': (1.0, 1.0),
        }
    )
    # Keep the labels, and give it no masks
    if 'image_labels' in data_info:
        labels = np.asarray(data_info['image_labels'], dtype=bool)
        sample.image_labels = torch.from_numpy(labels.copy())
    sample.sam_masks = SAMMasks.empty(size)
    return {
        'inputs': torch.zeros((3, *size), dtype=torch.uint8),
        'data_samples': sample,
    }
