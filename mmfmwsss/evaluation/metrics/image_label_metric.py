# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Score the classification prompts by mean average precision."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmseg.registry import METRICS
from numpy.typing import NDArray
from prettytable import PrettyTable

from ...utils import UserInputError

__all__ = ['ImageLabelMetric', 'average_precision']


def average_precision(
    scores: NDArray[Any], labels: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Compute the average precision of each class, by mmpretrain.

    Args:
        scores (ndarray): The higher, the likelier, (N, C).
        labels (ndarray): Multi-hot, bool, (N, C).

    Returns:
        ndarray: Percent, NaN for a class that no image shows, (C,).

    Raises:
        UserInputError: If mmpretrain is not installed.
    """
    try:  # only here: it is needed for this and for nothing else
        from mmpretrain.evaluation import AveragePrecision
    except ImportError as error:
        raise UserInputError(
            'Expected mmpretrain for the average precision, but it is not '
            'installed. Install it with `pip install -r '
            'requirements/mminstall.txt`, or take ImageLabelMetric out of the '
            'config.'
        ) from error
    # Average the precision over the recall of each class, in percent
    values = AveragePrecision.calculate(
        torch.from_numpy(scores), torch.from_numpy(labels.astype(np.int64)),
        average=None,
    ).numpy()  # fmt: skip
    # mmpretrain has 0 there, and averages over it
    return np.where(labels.any(axis=0), values.astype(np.float64), np.nan)


@METRICS.register_module()
class ImageLabelMetric(BaseMetric):
    """Multi-label mAP of ``class_scores`` against the image-level labels.

    It reads labels only, no mask, so it may watch a training:

    .. code-block:: python

        val_dataloader = dict(...)  # an ImageLabelDataset without masks
        val_cfg = dict()
        val_evaluator = dict(type='ImageLabelMetric', split='VOC 2012 val')
        train_cfg = dict(val_interval=1)

    ``CLIPPromptSegmentor`` gives the scores when it has a classification
    stream. The mean is over the classes that some image shows.

    Args:
        split (str): What was scored, for the log, e.g. 'PartWorld train'.
        prefix (str): Of the keys.
        collect_device (str): See mmengine.

    Returns of ``evaluate``: ``mAP`` in percent, ``images`` scored and
    ``failed``.
    """

    def __init__(
        self,
        split: str = '',
        prefix: str = 'classification',
        collect_device: str = 'cpu',
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.split = split
        self.record: dict[str, Any] = {}

    def process(
        self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]
    ) -> None:
        """Take scores and labels of a batch.

        Raises:
            ValueError: If a sample has no scores or no labels.
            UserInputError: If scores are not finite.
        """
        for sample in data_samples:
            # Count images that failed
            if sample.get('failure'):
                self.results.append({})
                continue
            # Check that both scores and labels are there
            for key in ('class_scores', 'image_labels'):
                if key not in sample:
                    raise ValueError(
                        f'Expected `{key}` in the data sample, but it has '
                        f'{sorted(sample)}. The scores come from a '
                        'classification stream, the labels from an '
                        'ImageLabelDataset.'
                    )
            # Refuse scores that cannot be ranked
            scores = sample['class_scores'].float().cpu().numpy()
            if not np.isfinite(scores).all():
                raise UserInputError(
                    'Expected finite class scores, but those of '
                    f'{sample.get("img_path", "an image")} are NaN or '
                    'infinite. Test with another checkpoint: the training '
                    'may have diverged.'
                )
            # Keep what the average precision is made of
            self.results.append(
                dict(
                    scores=scores,
                    labels=sample['image_labels'].bool().cpu().numpy(),
                )
            )

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Average, and log the table and the line."""
        logger: MMLogger = MMLogger.get_current_instance()
        # Leave out the images that failed
        scored = [r for r in results if r]
        subject = f'classification of {self.split or "the data set"}'
        counts = dict(images=len(scored), failed=len(results) - len(scored))
        if not scored:
            logger.info(f'{subject}: no image, not scored')
            return dict(counts)
        # Average over the images, then over the classes that some image shows
        labels = np.stack([r['labels'] for r in scored])
        values = average_precision(
            np.stack([r['scores'] for r in scored]), labels
        )
        shown = values[~np.isnan(values)]
        mean = float(shown.mean()) if len(shown) else float('nan')
        # Record and log
        names = self._names(len(values))
        self.record = dict(
            split=self.split,
            protocol='average precision of image-level labels',
            images=len(scored),
            classes=_class_record(names, values),
        )
        logger.info(
            f'AP of {subject}:\n{_table(names, labels, values)}\n'
            f'mAP of {subject}, {len(scored)} images, {len(shown)} of '
            f'{len(values)} classes shown: {mean:.1f}'
        )
        absent = np.array(names)[np.isnan(values)]
        if len(absent):
            logger.warning(
                f'mAP of {subject}: no image shows {", ".join(absent)}; the '
                'mean leaves them out.'
            )
        return {'mAP': round(mean, 2), **counts}

    def _names(self, count: int) -> Sequence[str]:
        """Name the foreground classes, all but the data set's first."""
        names = (self.dataset_meta or {}).get('classes', ())
        if len(names) == count + 1:
            return list(names[1:])
        return [str(number) for number in range(count)]


def _class_record(
    names: Sequence[str], values: NDArray[Any]
) -> dict[str, dict[str, float | None]]:
    return {
        name: dict(AP=None if np.isnan(value) else round(float(value), 2))
        for name, value in zip(names, values, strict=True)
    }


def _table(
    names: Sequence[str], labels: NDArray[Any], values: NDArray[Any]
) -> str:
    """Tabulate images and average precision of each class."""
    # Add a row for each class
    table = PrettyTable(['class', 'images', 'AP'])
    for name, count, value in zip(
        names, labels.sum(axis=0), values, strict=True
    ):
        table.add_row([name, int(count), f'{value:.1f}'])
    return str(table.get_string())
