# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Run the pipeline of one picture; what fails is listed, or refused."""

from pathlib import Path
from typing import Any

import cv2
from mmcv.transforms import TestTimeAug
from mmengine.dataset import BaseDataset

from ..utils import UserInputError
from .transforms import pack_failure

__all__ = ['prepare_or_pack_failure']


def prepare_or_pack_failure(dataset: BaseDataset, idx: int) -> Any:
    """Run a data set's pipeline on one picture.

    Args:
        dataset (BaseDataset): The data set.
        idx (int): Position of the picture in it.

    Returns:
        What the pipeline returns or, in a test run where it fails, a
        placeholder with ``metainfo['failure']``, which metrics list.

    Raises:
        UserInputError: In training, if the picture or what belongs to it
            cannot be read.
    """
    data_info = dataset.get_data_info(idx)
    try:
        return dataset.pipeline(data_info)
    except (OSError, ValueError, cv2.error) as error:
        # The pipeline may have changed the first record.
        data_info = dataset.get_data_info(idx)
        path = data_info['img_path']
        message = str(error)
        if path not in message and Path(path).stem not in message:
            message = f'{path}: {type(error).__name__}: {message}'
        if dataset.test_mode:
            return _pack(dataset, data_info, message)
        if isinstance(error, ValueError):
            raise  # says itself what is wrong, be it file or config
        raise UserInputError(
            f'Could not prepare {message}. Replace the file, or take it '
            'out of the image list.'
        ) from error


def _pack(
    dataset: BaseDataset, data_info: dict[str, Any], message: str
) -> dict[str, Any]:
    """A placeholder, as often as the pipeline augments a picture."""
    for step in getattr(dataset.pipeline, 'transforms', []):
        if isinstance(step, TestTimeAug):
            copies = [
                pack_failure(data_info, message) for _ in step.subroutines
            ]
            return {key: [copy[key] for copy in copies] for key in copies[0]}
    return pack_failure(data_info, message)
