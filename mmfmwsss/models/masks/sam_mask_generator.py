# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Make the mask files of a data set; run by ``tools/test.py``."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from mmengine.logging import print_log
from mmengine.model import BaseModel
from mmseg.registry import MODELS, TASK_UTILS
from mmseg.structures import SegDataSample
from numpy.typing import NDArray
from torch import Tensor, nn

from ...structures import SAMMasks, summarize_mask_file
from ...utils import UserInputError

__all__ = ['MaskSource', 'SAMMaskGenerator']


class MaskSource(Protocol):
    """What makes the masks of an image: SAM, or anything that can."""

    def __call__(self, image: NDArray[np.uint8]) -> SAMMasks:
        """Masks of an RGB image, uint8, (H, W, 3)."""
        ...

    def settings(self) -> dict[str, Any]:
        """All that decides the masks, of types that JSON knows."""
        ...


@MODELS.register_module()
class SAMMaskGenerator(BaseModel):
    """Write one mask file an image: the ``model`` of a mask config.

    Images whose file is there, complete and made with the same settings are
    skipped, so a run that was cut off is taken up again by the same command.
    An image that could not be read is reported as failed and has no file.

    Args:
        source (Mapping | MaskSource): What makes the masks: config of one
            registered in ``TASK_UTILS`` (``SAMEverything``,
            ``FelzenszwalbSuperpixels``), or the thing itself.
        output_dir (str | PathLike): Gets ``<image name>.json``.
        data_preprocessor (Mapping | None): Must leave the images as they are;
            None does.
    """

    def __init__(
        self,
        source: Mapping[str, Any] | MaskSource,
        output_dir: str | os.PathLike[str],
        data_preprocessor: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        self.source: MaskSource = (
            TASK_UTILS.build(dict(source))
            if isinstance(source, Mapping)
            else source
        )
        self.output_dir = Path(output_dir)
        described = dict(
            self.source.settings(), type=type(self.source).__name__
        )
        self.settings = hashlib.sha256(
            json.dumps(described, sort_keys=True).encode()
        ).hexdigest()[:16]
        # DistributedDataParallel refuses a model without a parameter to train.
        self.unused = nn.Parameter(torch.zeros(1))

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
        name = Path(sample.metainfo['img_path']).stem
        failure = sample.metainfo.get('failure')
        if failure:
            return _report(name, 'failed', reason=failure)
        file = self.output_dir / f'{name}.json'
        counts = self._finished(file)
        if counts is not None:
            return _report(name, 'skipped', counts)
        if image.dtype != torch.uint8:
            raise UserInputError(
                f'Expected images as loaded (uint8), got {image.dtype}. '
                'Remove `data_preprocessor` from the config of '
                'SAMMaskGenerator.'
            )
        rgb = image.flip(0).permute(1, 2, 0).contiguous().cpu().numpy()
        try:
            masks = self.source(rgb)
        except UserInputError as error:
            return _report(name, 'failed', reason=str(error))
        masks.save(file, self.settings)
        return _report(name, 'done', masks.level_counts())

    def _finished(self, file: Path) -> list[int] | None:
        """Masks per level in a file of the same settings, else None."""
        if not file.is_file():
            return None
        try:
            summary = summarize_mask_file(file)
        except UserInputError as error:
            print_log(f'Made again: {error}', logger='current', level=30)
            return None
        if summary.settings != self.settings:
            return None
        return summary.level_counts


def _report(
    name: str,
    status: str,
    level_counts: list[int] | None = None,
    reason: str = '',
) -> dict[str, Any]:
    return dict(
        name=name,
        status=status,
        reason=reason,
        level_counts=level_counts or [0, 0, 0],
    )
