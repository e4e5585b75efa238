# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Build a pipeline, and run it on one picture; failures are listed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
from mmcv.transforms import LoadImageFromFile, TestTimeAug
from mmengine.dataset import BaseDataset
from mmengine.registry import DefaultScope

from ..utils import UserInputError
from .transforms import LoadImageStrict, pack_failure

__all__ = [
    'mmseg_scope',
    'pack_names',
    'prepare_or_pack_failure',
    'read_strictly',
]


@contextmanager
def mmseg_scope() -> Iterator[None]:
    """Let names of transforms be found without a runner, as in a notebook.

    A scope that is set already, by a runner or by ``init_default_scope``, is
    left as it is.
    """
    missing = DefaultScope.get_current_instance() is None
    with DefaultScope.overwrite_default_scope('mmseg' if missing else None):
        yield


def pack_names(dataset: BaseDataset) -> None:
    """Let mmseg's own packing keep the names of pictures in sub-folders.

    Otherwise their predictions would be written by the last part of the name.
    """
    # Collect the transforms, also those inside test-time augmentation
    steps = list(dataset.pipeline.transforms)
    for step in dataset.pipeline.transforms:
        for inner in getattr(step, 'subroutines', ()):  # of TestTimeAug
            steps += inner.transforms
    # Add the name to what the packing transforms keep
    for step in steps:
        keys = getattr(step, 'meta_keys', None)
        if keys is not None and 'image_name' not in keys:
            step.meta_keys = (*keys, 'image_name')


def read_strictly(dataset: BaseDataset) -> None:
    """Read pictures by ``LoadImageStrict`` where mmcv's loader is named.

    Test pipelines name ``LoadImageFromFile``, for ``MMSegInferencer`` looks
    for that. In a data set a broken picture must be found all the same, and
    be decoded as in training.
    """
    # Replace mmcv's loader, which accepts files that are cut off
    steps = dataset.pipeline.transforms
    for place, step in enumerate(steps):
        if type(step) is LoadImageFromFile and not step.ignore_empty:
            steps[place] = LoadImageStrict(
                to_float32=step.to_float32,
                color_type=step.color_type,
                imdecode_backend=step.imdecode_backend,
                backend_args=step.backend_args,
            )


def prepare_or_pack_failure(
    dataset: BaseDataset,
    idx: int,
    check: Callable[[dict[str, Any]], None] | None = None,
) -> Any:
    """Run a data set's pipeline on one picture.

    Args:
        dataset (BaseDataset): The data set.
        idx (int): Position of the picture in it.
        check (Callable, optional): Looks at the record first, and raises a
            ``UserInputError`` if a file that belongs to it is wrong.

    Returns:
        What the pipeline returns or, in a test run where it fails, a
        placeholder with ``metainfo['failure']``, which metrics list.

    Raises:
        UserInputError: In training, if the picture or what belongs to it
            cannot be read.
    """
    data_info = dataset.get_data_info(idx)
    # Check the record and run the transforms
    try:
        if check is not None:
            check(data_info)
        return dataset.pipeline(data_info)
    except (OSError, ValueError, cv2.error) as error:
        # The pipeline may have changed the first record.
        data_info = dataset.get_data_info(idx)
        # Make sure that the message names the file
        path = data_info['img_path']
        message = str(error)
        if path not in message and Path(path).stem not in message:
            message = f'{path}: {type(error).__name__}: {message}'
        # List the failure in a test, but end a training
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
    """Pack a placeholder, as often as the pipeline augments a picture."""
    # Give test-time augmentation one placeholder for each of its copies
    for step in getattr(dataset.pipeline, 'transforms', []):
        if isinstance(step, TestTimeAug):
            copies = [
                pack_failure(data_info, message) for _ in step.subroutines
            ]
            return {key: [copy[key] for copy in copies] for key in copies[0]}
    return pack_failure(data_info, message)
