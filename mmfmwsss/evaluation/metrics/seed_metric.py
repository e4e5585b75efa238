# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Score and write label maps: seeds, CAMs, predictions of a segmentor."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmseg.registry import METRICS
from numpy.typing import NDArray
from PIL import Image
from prettytable import PrettyTable

from ...datasets.current_outputs import digest_for_field
from ...utils import UserInputError
from ...utils.image_names import image_name_of
from ...utils.labels import IGNORE_LABEL, renumber_labels
from ...utils.palette_png import read_label_png, write_palette_png
from .areas import class_areas, class_scores, intersection_over_union
from .failures import column_of, list_failures
from .truth_numbers import renumber_truth
from .truth_remarks import absent_classes, mean_of_shown, truth_remarks

__all__ = ['SeedMetric']

# One truth among thousands: missing, cut off, or claiming a giant picture.
_BAD_FILE = (
    OSError,
    ValueError,
    SyntaxError,
    MemoryError,
    Image.DecompressionBombError,
)


@METRICS.register_module()
class SeedMetric(BaseMetric):
    """Write one field of the data samples as palette PNGs, and score it.

    The metric alone opens the ground truth, ``<image name>.png`` in
    ``ground_truth_dir``; the data set of a weakly supervised stage cannot.
    The mean is over the labels that are predicted or true somewhere,
    background included, as in mmseg's ``IoUMetric``; labels that the truth
    never shows are named in the log and in ``record``. Samples that carry
    ``failure`` are counted and listed, never written or scored; those whose
    ground truth is missing or wrong are written, counted and listed. Where
    the data set has some of the classes, or no background, the labels of the
    truth become its numbers.

    Args:
        prediction (str): Field with the label map at the original size,
            (1, H, W). Default: ``'pred_sem_seg'``.
        output_dir (str, optional): Folder for the PNGs.
        ground_truth_dir (str, optional): Folder of masks; without, no mIoU.
        split (str): What was scored, for the log, e.g. 'PartWorld train'.
        protocol (str): How it was made, for the log, e.g. 'single scale, SAMS
            alpha 0.6'.
        ignore_index (int): Truth that does not count. Default: 255.
        truth_numbers (Sequence[int], optional): Number of each label in the
            masks, where they number more classes. Default: 0..C.
        prefix (str, optional): Of the keys. Default: ``prediction``.
        keep_results (bool): Unused; mmseg's ``tools/test.py --out`` sets it.
        collect_device (str): See mmengine.

    Returns of ``evaluate``: ``mIoU`` in percent, ``images`` scored or, if
    there is no truth, predicted, and ``failed``. ``record`` then has the
    scores of each class and how they came about, for ``metrics.json``.
    """

    def __init__(
        self,
        prediction: str = 'pred_sem_seg',
        output_dir: str | None = None,
        ground_truth_dir: str | None = None,
        split: str = '',
        protocol: str = '',
        ignore_index: int = IGNORE_LABEL,
        truth_numbers: Sequence[int] | None = None,
        prefix: str | None = None,
        keep_results: bool = True,
        collect_device: str = 'cpu',
    ) -> None:
        del keep_results
        super().__init__(collect_device, prefix or prediction)
        self.prediction = prediction
        self.output_dir = output_dir
        self.ground_truth_dir = ground_truth_dir
        self.split = split
        self.protocol = protocol
        self.ignore_index = ignore_index
        self.truth_numbers = truth_numbers
        self.record: dict[str, Any] = {}

    def process(
        self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]
    ) -> None:
        """Write and score the label maps of a batch.

        Raises:
            UserInputError: If there is no folder of ground truth.
            UserInputError: If a prediction is of no class.
            ValueError: If a sample has no field ``prediction``.
        """
        for sample in data_samples:
            path = sample['img_path']
            if sample.get('failure'):
                self.results.append({'failure': (path, sample['failure'])})
                continue
            if sample.get('finished'):  # see SkippingTestLoop
                self.results.append(self._read_and_score(sample))
                continue
            if self.prediction not in sample:
                raise ValueError(
                    f'Expected a prediction called {self.prediction!r}, but '
                    f'the data sample has {sorted(sample)}.'
                )
            # Check the label map
            data = sample[self.prediction]['data']
            labels = self._checked(
                data.reshape(data.shape[-2:]).cpu().numpy(), path
            )
            # Write it, with what it is made of, then score it
            name = image_name_of(sample)
            if self.output_dir is not None:
                write_palette_png(
                    os.path.join(self.output_dir, f'{name}.png'),
                    labels,
                    self._meta['palette'],
                    made_of=self._made_of(sample),
                )
            self.results.append({'name': name, **self._scored(name, labels)})

    def _made_of(self, sample: Mapping[str, Any]) -> str:
        made_of = sample.get('made_of')
        return digest_for_field(made_of, self.prediction) if made_of else ''

    def _read_and_score(self, sample: Mapping[str, Any]) -> dict[str, Any]:
        """Score the label map of an earlier run."""
        # Read what is on disk in place of a prediction
        name = str(sample['image_name'])
        path = os.path.join(str(self.output_dir), f'{name}.png')
        try:
            labels = read_label_png(path)
        except UserInputError as error:  # deleted a moment ago
            return {'failure': (path, str(error))}
        return {'name': name, 'finished': True, **self._scored(name, labels)}

    @property
    def _meta(self) -> dict[str, Any]:
        if self.dataset_meta is None:
            raise ValueError('Expected `dataset_meta` to be set before use.')
        return self.dataset_meta

    def _checked(self, labels: NDArray[Any], path: str) -> NDArray[np.uint8]:
        """Return the labels as uint8, if they are classes or 255."""
        # Refuse labels that the data set does not have
        count = len(self._meta['classes'])
        known = (labels >= 0) & (labels < count) & (labels % 1 == 0)
        wrong = labels[~(known | (labels == IGNORE_LABEL))]
        if len(wrong):
            raise UserInputError(
                f'Expected predictions 0..{count - 1} or {IGNORE_LABEL}, the '
                f'{count} classes of the data set, but {self.prediction} of '
                f'{path} has {wrong[0]}. Test a model of these classes.'
            )
        return labels.astype(np.uint8)

    def _scored(self, name: str, labels: NDArray[Any]) -> dict[str, Any]:
        """Return the areas of an image, or why there are none."""
        # Return no areas without a ground truth
        if self.ground_truth_dir is None:
            return {'areas': None}
        if not os.path.isdir(self.ground_truth_dir):
            raise UserInputError(
                f'Expected a folder of masks at {self.ground_truth_dir}, but '
                'it is not there. Correct `ground_truth_dir`, or leave it out '
                'to score none.'
            )
        path = os.path.join(self.ground_truth_dir, f'{name}.png')
        try:
            return self._areas(path, labels)
        except _BAD_FILE as error:
            # Hours of seeds are not thrown away for one wrong mask.
            return {'unscored': (path, str(error))}

    def _areas(self, path: str, labels: NDArray[Any]) -> dict[str, Any]:
        # Read the true labels, and check that they fit
        classes = self._meta['classes']
        truth = read_label_png(path)
        if numbers := self.truth_numbers:
            truth = renumber_truth(truth, numbers, self.ignore_index)
        truth = renumber_labels(
            truth,
            self._meta.get('label_map'),
            self._meta.get('reduce_zero_label', False),
        )
        known = (truth < len(classes)) | (truth == self.ignore_index)
        if truth.shape != labels.shape or not known.all():
            raise UserInputError(
                f'Expected labels 0..{len(classes) - 1} or '
                f'{self.ignore_index} of {labels.shape} pixels in {path}, but '
                f'got {sorted(set(np.unique(truth).tolist()))} of '
                f'{truth.shape}. Mend the mask.'
            )
        areas = class_areas(labels, truth, len(classes), self.ignore_index)
        # Small, for the results of all images travel between processes.
        ignored = int((truth == self.ignore_index).sum())
        return {'areas': areas.astype(np.uint32), 'ignored': ignored}

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Sum the areas, log the table and the line, list the failures."""
        logger: MMLogger = MMLogger.get_current_instance()
        failures, unscored, areas = (
            column_of(results, key) for key in ('failure', 'unscored', 'areas')
        )
        # Score
        metrics: dict[str, float] = {}
        if areas and self.ground_truth_dir is not None:
            ignored = sum(r.get('ignored', 0) for r in results)
            metrics['mIoU'] = self._score(areas, ignored, logger)
        else:
            logger.info(f'{self._subject}: {len(areas)} images, not scored')
        if self.output_dir is not None:
            self._log_written(results, len(failures), logger)
        # List the failures
        for found, what in (
            (failures, 'failed and have no result'),
            (unscored, 'are not scored, for their mask is missing or wrong'),
        ):
            if found:
                logger.error(list_failures(found, len(results), what))
        failed = len(failures) + len(unscored)
        return {**metrics, 'images': len(areas), 'failed': failed}

    @property
    def _subject(self) -> str:
        return f'{self.prediction} on {self.split or "the data set"}'

    def _score(
        self, areas: list[NDArray[Any]], ignored: int, logger: MMLogger
    ) -> float:
        """Record and log the scores of all images; the mIoU in percent."""
        classes = self._meta['classes']
        total = np.stack(areas).sum(axis=0, dtype=np.int64)
        miou = float(np.nanmean(100 * intersection_over_union(total)))
        self.record = dict(
            split=self.split,
            protocol=self.protocol,
            ground_truth_dir=self.ground_truth_dir,
            images=len(areas),
            classes=class_scores(classes, total),
            never_in_truth=absent_classes(classes, total),
            mIoU_of_true_classes=round(100 * mean_of_shown(total), 2),
        )
        logger.info(
            f'IoU of {self._subject}:\n{self._table(total)}\n'
            f'mIoU of {self._subject}, {len(areas)} images: {miou:.1f} '
            f'({self._provenance()})'
        )
        for remark in truth_remarks(
            classes, total, ignored, self.ignore_index
        ):
            logger.warning(f'mIoU of {self._subject}: {remark}')
        return round(miou, 2)

    def _log_written(
        self, results: list[Any], failed: int, logger: MMLogger
    ) -> None:
        written = len(results) - failed
        logger.info(f'{written} label maps are in {self.output_dir}')
        if skipped := sum('finished' in result for result in results):
            logger.info(
                f'{skipped} of them were current and are not made again'
            )

    def _provenance(self) -> str:
        folder = Path(str(self.ground_truth_dir)).name
        return ', '.join(
            part
            for part in (
                f'{len(self._meta["classes"])} labels with background',
                f'scored against {folder}',
                self.protocol,
            )
            if part
        )

    def _table(self, areas: NDArray[Any]) -> str:
        table = PrettyTable(['class', 'IoU', 'precision', 'recall'])
        for name, scores in class_scores(self._meta['classes'], areas).items():
            table.add_row([name, *(_text(v) for v in scores.values())])
        return str(table.get_string())


def _text(value: float | None) -> str:
    return 'nan' if value is None else f'{value:.1f}'
