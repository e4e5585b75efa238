# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Make the mask files of a data set; run by ``tools/test.py``."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from mmengine.model import BaseModel
from mmseg.registry import MODELS, TASK_UTILS
from mmseg.structures import SegDataSample
from numpy.typing import NDArray
from torch import Tensor, nn

from ...structures import SAMMasks
from ...utils import (
    UserInputError,
    digest_of_array,
    digest_of_picture,
)
from ...utils.image_names import image_name_of
from .batching import is_out_of_memory
from .mask_files import finished_level_counts, mask_report, settings_hash

__all__ = ['MaskSource', 'SAMMaskGenerator']


class MaskSource(Protocol):
    """Make the masks of an image: SAM, or anything that can."""

    def __call__(self, image: NDArray[np.uint8]) -> SAMMasks:
        """Find the masks of an RGB image, uint8, (H, W, 3)."""
        ...

    def settings(self) -> dict[str, Any]:
        """Give all that decides the masks, of types that JSON knows."""
        ...


@MODELS.register_module()
class SAMMaskGenerator(BaseModel):
    """Write one mask file an image: the ``model`` of a mask config.

    Images whose file is there, as it was written, and made of the same picture
    with the same settings are skipped, so a run that was cut off is taken up
    again by the same command.
    An image that could not be read, or that the memory does not suffice for,
    is reported as failed and has no file.

    Args:
        source (Mapping | MaskSource): What makes the masks: config of one
            registered in ``TASK_UTILS`` (``SAMEverything``,
            ``FelzenszwalbSuperpixels``), or the thing itself.
        output_dir (str | PathLike): Gets ``<image name>.json``.
        data_preprocessor (Mapping | None): Must leave the images as they are;
            None does.
        train_cfg (Mapping | None): Unused; mmseg's tools set it.
        test_cfg (Mapping | None): Unused likewise.
        pretrained (str | None): Unused likewise.
    """

    def __init__(
        self,
        source: Mapping[str, Any] | MaskSource,
        output_dir: str | os.PathLike[str],
        data_preprocessor: Mapping[str, Any] | None = None,
        train_cfg: Mapping[str, Any] | None = None,
        test_cfg: Mapping[str, Any] | None = None,
        pretrained: str | None = None,
    ) -> None:
        del train_cfg, test_cfg, pretrained
        super().__init__(data_preprocessor=data_preprocessor)
        self.source: MaskSource = (
            TASK_UTILS.build(dict(source))
            if isinstance(source, Mapping)
            else source
        )
        self.output_dir = Path(output_dir)
        # Hash all that decides the masks, to tell finished files by.
        described = dict(
            self.source.settings(), type=type(self.source).__name__
        )
        self.settings = settings_hash(described)
        # DistributedDataParallel refuses a model without a parameter to train.
        self.ddp_parameter = nn.Parameter(torch.zeros(1))

    def forward(
        self,
        inputs: list[Tensor],
        data_samples: list[SegDataSample],
        mode: str = 'predict',
    ) -> list[SegDataSample]:
        """Make and write the masks of a batch of images.

        Args:
            inputs (list[Tensor]): Images as mmseg packs them, BGR, uint8,
                (3, H, W), at their original size.
            data_samples (list[SegDataSample]): With ``img_path``; those with
                ``failure`` count as failed.
            mode (str): Only ``'predict'``.

        Returns:
            list[SegDataSample]: Each with ``sam_masks_report`` in its
            metainfo: ``name``, ``status`` (``'done'``, ``'skipped'`` or
            ``'failed'``), ``reason`` of a failure, and ``level_counts``,
            the number of sub-part, part and whole masks.

        Raises:
            ValueError: In another mode.
            UserInputError: If the images are not uint8.
        """
        if mode != 'predict':
            raise ValueError(f"`mode` must be 'predict', got {mode!r}")
        for image, sample in zip(inputs, data_samples, strict=True):
            sample.set_metainfo(
                dict(sam_masks_report=self._process(image, sample))
            )
        return data_samples

    def _process(self, image: Tensor, sample: SegDataSample) -> dict[str, Any]:
        name = image_name_of(sample.metainfo)
        # Report an image that could not be loaded.
        failure = sample.metainfo.get('failure')
        if failure:
            return mask_report(name, 'failed', reason=failure)
        # Skip an image with masks of this picture and these settings.
        file = self.output_dir / f'{name}.json'
        size = tuple(image.shape[-2:])
        made_of = digest_of_picture(sample.metainfo['img_path'], size)
        if not made_of:  # not on a local disk
            made_of = digest_of_array(image.cpu().numpy())
        counts = finished_level_counts(file, self.settings, made_of)
        if counts is not None:
            return mask_report(name, 'skipped', counts)
        # Turn mmseg's BGR planes into an RGB picture.
        if image.dtype != torch.uint8:
            raise UserInputError(
                f'Expected images as loaded (uint8), got {image.dtype}. '
                'Remove `data_preprocessor` from the config of '
                'SAMMaskGenerator.'
            )
        rgb = image.flip(0).permute(1, 2, 0).contiguous().cpu().numpy()
        # Make the masks; what fails for this image fails for it alone.
        try:
            masks = self.source(rgb)
        except UserInputError as error:
            return mask_report(name, 'failed', reason=str(error))
        except (RuntimeError, MemoryError) as error:
            # One huge image must not end a run of many thousands.
            if not is_out_of_memory(error):
                raise
            return mask_report(
                name, 'failed', reason=f'out of memory at {rgb.shape[:2]}'
            )
        masks.save(file, self.settings, made_of)
        return mask_report(name, 'done', masks.level_counts())
