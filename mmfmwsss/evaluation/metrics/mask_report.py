# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Count the images and masks of a run of SAMMaskGenerator."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmseg.registry import METRICS

from ...models.masks.mask_files import mask_report
from ...structures import LEVEL_NAMES
from ...utils.image_names import image_name_of
from .failures import list_failures

__all__ = ['SAMMaskReport']


@METRICS.register_module()
class SAMMaskReport(BaseMetric):
    """Count images done, skipped and failed, and masks per image and level.

    Failed images are listed in the log. The metrics are ``images``, ``done``,
    ``skipped``, ``failed``, ``masks_per_image`` (of done and skipped ones),
    ``masks_whole``, ``masks_part`` and ``masks_subpart`` (totals).
    """

    def process(
        self, data_batch: Any, data_samples: Sequence[dict[str, Any]]
    ) -> None:
        """Take note of a batch.

        Args:
            data_batch (Any): Not used.
            data_samples (Sequence[dict]): With ``sam_masks_report``, or
                ``failure`` where the image could not be read.
        """
        # Keep the report of each image, and make one for those that failed
        for sample in data_samples:
            report = sample.get('sam_masks_report')
            if report is None:  # it failed before a model saw it
                report = mask_report(
                    image_name_of(sample), 'failed', reason=sample['failure']
                )
            self.results.append(report)

    def compute_metrics(
        self, results: list[dict[str, Any]]
    ) -> dict[str, int | float]:
        """Sum up and log.

        Args:
            results (list[dict]): The report of each image.

        Returns:
            dict: The metrics.
        """
        logger = MMLogger.get_current_instance()
        # Count images by status, and masks by level
        statuses = Counter(report['status'] for report in results)
        levels = [
            sum(counts)
            for counts in zip(
                *(report['level_counts'] for report in results), strict=True
            )
        ]
        # List the images that have no masks
        finished = statuses['done'] + statuses['skipped']
        failed = [
            (r['name'], r['reason'])
            for r in results
            if r['status'] == 'failed'
        ]
        if failed:
            what = 'failed and have no masks'
            logger.error(list_failures(failed, len(results), what))
        # Sum up, wholes first
        metrics: dict[str, int | float] = dict(
            images=len(results),
            done=statuses['done'],
            skipped=statuses['skipped'],
            failed=len(failed),
            masks_per_image=round(sum(levels) / max(finished, 1), 2),
        )
        for name, count in zip(
            reversed(LEVEL_NAMES), levels[::-1], strict=True
        ):
            metrics[f'masks_{name}'] = count
        logger.info(
            'SAM masks: '
            + ', '.join(f'{name} {value}' for name, value in metrics.items())
        )
        return metrics
