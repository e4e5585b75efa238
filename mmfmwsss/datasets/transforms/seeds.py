# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Read the seed of a picture, and the image-level labels of its crop."""

from pathlib import Path
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS
from numpy.typing import NDArray

from ...utils import UserInputError
from ...utils.image_names import image_name_of
from ...utils.labels import IGNORE_LABEL
from ...utils.palette_png import read_label_png

__all__ = ['ImageLabelsFromSeed', 'LoadSeed']


@TRANSFORMS.register_module()
class LoadSeed(BaseTransform):
    """Load the seed that an earlier run made, to supervise this one.

    The seed travels as ``gt_seg_map`` in ``seg_fields``, as mmseg's label
    maps do: resized by the nearest pixel, cropped, flipped, 255 where a crop
    is padded. Put it right after the image loader. It reads no ground truth.

    Required keys: ``img_path``, ``img``, ``ori_shape``, ``image_labels``.
    Added key: ``gt_seg_map`` uint8 (H, W), 0 background, class + 1, 255.

    Args:
        seed_dir (str): Folder with one ``<image name>.png`` an image.
        seed_command (str): Command that makes the seeds, for the message.
    """

    def __init__(
        self,
        seed_dir: str,
        seed_command: str = (
            'python tools/test.py '
            'configs/fmwsss/<data set>_seed_official_cls.py'
        ),
    ) -> None:
        self.seed_dir = Path(seed_dir)
        self.seed_command = seed_command

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the seed of ``results['img_path']``.

        Raises:
            UserInputError: If the seed is missing, not readable, of another
                size, or of other classes than the image-level labels.
            ValueError: If the image was resized before.
        """
        # Refuse an image that was resized or cropped before its seed
        size = tuple(results['ori_shape'][:2])
        if tuple(results['img'].shape[:2]) != size:
            raise ValueError(
                'LoadSeed must come right after the image loader: expected an '
                f'image of {size}, but got {results["img"].shape[:2]}.'
            )
        # Read the seed of the picture's name
        name = image_name_of(results)
        seed = self._read(name, size)
        # Refuse labels beyond the classes
        classes = len(results['image_labels'])
        unknown = (seed > classes) & (seed != IGNORE_LABEL)
        if unknown.any():
            raise UserInputError(
                f'Expected seeds of {classes} classes in '
                f'{self.seed_dir / name}.png, but it has the label '
                f'{seed[unknown].max()}. Make the seeds of this data set with '
                f'`{self.seed_command}`.'
            )
        # Let it be resized and cropped with the image
        results['gt_seg_map'] = seed
        results.setdefault('seg_fields', []).append('gt_seg_map')
        return results

    def _read(self, name: str, size: tuple[int, ...]) -> NDArray[np.uint8]:
        # Look for the file, and say how to make it
        path = self.seed_dir / f'{name}.png'
        if not path.is_file():
            raise UserInputError(
                f'Expected the seed of {name} at {path}, but it is not there. '
                f'Make the seeds with `{self.seed_command}`.'
            )
        # Refuse a seed of another size
        seed = read_label_png(path)
        if seed.shape != size:
            raise UserInputError(
                f'Expected a seed of {size} pixels in {path}, but it is of '
                f'{seed.shape}: another picture had this name. Make the seeds '
                f'again with `{self.seed_command}`.'
            )
        return seed

    def __repr__(self) -> str:
        return f'{type(self).__name__}(seed_dir={str(self.seed_dir)!r})'


@TRANSFORMS.register_module()
class ImageLabelsFromSeed(BaseTransform):
    """Keep the image-level labels whose class the seed shows in this crop.

    As the official code trains the segmentation prompts on VOC: classes that
    the crop has lost have no map, and leave the softmax. Put it after the
    crop.

    Required keys: ``gt_seg_map``, ``image_labels``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``image_labels``."""
        labels = np.asarray(results['image_labels'], dtype=bool)
        seen = np.zeros(IGNORE_LABEL + 1, dtype=bool)
        seen[np.unique(results['gt_seg_map'])] = True
        results['image_labels'] = labels & seen[1 : 1 + len(labels)]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
