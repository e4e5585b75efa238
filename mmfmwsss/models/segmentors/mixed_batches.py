# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Batches in which images failed, or are of several sizes."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from mmseg.structures import SegDataSample
from torch import Tensor

__all__ = [
    'NOT_FINITE',
    'fail',
    'failed',
    'finished',
    'predict_in_groups',
]

NOT_FINITE = (
    'Expected finite scores from the network, but some are NaN or infinite. '
    'Test without mixed precision, or with another checkpoint: the training '
    'may have diverged.'
)


def failed(sample: SegDataSample) -> bool:
    """Tell if the sample stands for an image that could not be done."""
    return 'failure' in sample.metainfo


def finished(sample: SegDataSample) -> bool:
    """Tell if the sample stands for an image whose label maps are there."""
    return 'finished' in sample.metainfo


def fail(sample: SegDataSample, message: str) -> None:
    """Make a sample one that failed, without predictions.

    Args:
        sample (SegDataSample): Changed in place.
        message (str): What went wrong; metrics list it.
    """
    sample.set_metainfo({'failure': message})
    for field in ('pred_sem_seg', 'seg_logits'):
        if field in sample:
            delattr(sample, field)


def predict_in_groups(
    step: Callable[[Any], list[SegDataSample]], data: Any
) -> list[SegDataSample]:
    """Predict a batch, images of one size at a time, failed ones not at all.

    mmseg stacks a batch and so wants one size. Data sets put a small
    placeholder where an image failed; it must not void the others.

    Args:
        step (Callable): ``test_step`` or ``val_step`` of a model.
        data (dict): ``inputs``, a list of images (3, H, W), and
            ``data_samples``, as mmengine's ``pseudo_collate`` makes them; or
            lists of such lists, one an augmentation. Anything else goes to
            ``step`` as it is.

    Returns:
        list[SegDataSample]: In the order of the batch. Samples that failed or
        are finished are returned as they came.
    """
    # Leave data of another form to the step
    samples = data.get('data_samples') if isinstance(data, dict) else None
    if not isinstance(samples, (list, tuple)) or not samples:
        return step(data)
    # Bring plain and augmented batches to one form
    inputs = data['inputs']
    augmented = isinstance(samples[0], (list, tuple))
    if not augmented:
        inputs, samples = [inputs], [samples]
    if isinstance(inputs[0], Tensor):  # stacked, so of one size and complete
        return step(data)
    # Predict group by group, and keep the order of the batch
    results = list(samples[0])
    for numbers in _groups_of_one_size(inputs, results):
        part = {
            key: [_pick(copies, numbers) for copies in values]
            if augmented
            else _pick(values, numbers)
            for key, values in data.items()
        }
        for number, result in zip(numbers, step(part), strict=True):
            results[number] = result
    return results


def _groups_of_one_size(
    inputs: Sequence[Sequence[Tensor]], samples: Sequence[SegDataSample]
) -> list[list[int]]:
    """Group the images that are to be done, by the sizes of their copies.

    Args:
        inputs (Sequence): For each augmentation N images, (3, H, W) each.
        samples (Sequence[SegDataSample]): N samples.

    Returns:
        list[list[int]]: Numbers of the images of each group.
    """
    groups = defaultdict(list)
    for number, sample in enumerate(samples):
        if not (failed(sample) or finished(sample)):
            shapes = tuple(tuple(copies[number].shape) for copies in inputs)
            original = tuple(sample.get('ori_shape', ()))
            groups[shapes, original].append(number)
    return list(groups.values())


def _pick(values: Sequence[Any], numbers: Sequence[int]) -> list[Any]:
    return [values[number] for number in numbers]
