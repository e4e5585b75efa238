# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pack predictions for the evaluation server of PASCAL VOC."""

import os
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.logging import MMLogger
from mmseg.registry import METRICS

from ...utils import UserInputError, atomic_path
from .seed_metric import SeedMetric

__all__ = ['VOCTestArchive', 'pack']


@METRICS.register_module()
class VOCTestArchive(SeedMetric):
    """Write the predictions of VOC's test split as the server wants them.

    The archive has one palette PNG a picture,
    ``results/VOC2012/Segmentation/comp6_test_cls/<name>.png``. It is not
    made while a picture failed, for the server wants all of them. In a
    config of a network::

        test_dataloader = dict(
            dataset=dict(
                image_list='ImageSets/Segmentation/test.txt',
                ground_truth_dir=None,
            )
        )
        test_evaluator = dict(
            _delete_=True,
            type='VOCTestArchive',
            output_dir='work_dirs/voc12/test_server',
            split='VOC 2012 test',
        )

    Args:
        output_dir (str): Folder of the PNGs, in their sub-folders, and of the
            archive.
        archive (str): Its name, ``*.tar.gz``, ``*.tgz`` or ``*.zip``.
        competition (str): ``'comp6_test_cls'``, or ``'comp5_test_cls'`` for
            what was trained on VOC's data alone.
        **kwargs: ``prediction``, ``split``, ``protocol``; see
            :class:`SeedMetric`.

    Raises:
        ValueError: If the name of the archive ends otherwise.
    """

    def __init__(
        self,
        output_dir: str,
        archive: str = 'results.tar.gz',
        competition: str = 'comp6_test_cls',
        **kwargs: Any,
    ) -> None:
        # Check the suffix; the server prescribes the folders
        if not archive.endswith(('.tar.gz', '.tgz', '.zip')):
            raise ValueError(
                f"Expected archive='*.tar.gz' or '*.zip', got {archive!r}."
            )
        self.archive = Path(output_dir, archive)
        self.folder = Path('results', 'VOC2012', 'Segmentation', competition)
        # Write label maps of a split without ground truth
        super().__init__(
            output_dir=os.path.join(output_dir, self.folder),
            ground_truth_dir=None,
            **kwargs,
        )

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Pack all predictions of this run; list the failures instead."""
        # Write and count the label maps
        metrics = super().compute_metrics(results)
        # Refuse sub-folders, where the server does not look
        nested = sorted(r['name'] for r in results if '/' in r.get('name', ''))
        if nested:
            raise UserInputError(
                'Expected pictures in one folder, as those of VOC are, but '
                f'{len(nested)} are in sub-folders, e.g. {nested[0]}: the '
                f'server looks for <name>.png. {self.archive} is not made; '
                'test one folder.'
            )
        # Refuse to pack while pictures are missing
        logger: MMLogger = MMLogger.get_current_instance()
        if metrics['failed'] or not results:
            logger.error(
                f'{self.archive} is not made: {metrics["failed"]} of '
                f'{len(results)} pictures have no prediction.'
            )
            return metrics
        pack(self.archive, self.folder, [r['name'] for r in results])
        logger.info(
            f'{self.archive}: {len(results)} predictions, for the evaluation '
            'server'
        )
        return metrics


def pack(archive: Path, folder: Path, names: Sequence[str]) -> None:
    """Put ``<folder>/<name>.png``, found beside the archive, into it.

    Args:
        archive (Path): ``*.zip``; any other name makes a ``.tar.gz``.
        folder (Path): Below the archive's own folder, and in the archive.
        names (Sequence[str]): Names of the pictures.
    """
    # Name the members in a fixed order, by slashes
    members = [(folder / f'{name}.png').as_posix() for name in sorted(names)]
    # Write the archive whole, in the format of its suffix
    with atomic_path(archive) as temporary:
        if archive.suffix == '.zip':
            with zipfile.ZipFile(temporary, 'w') as packed:
                for member in members:
                    packed.write(archive.parent / member, member)
        else:
            with tarfile.open(temporary, 'w:gz') as tar:
                for member in members:
                    tar.add(archive.parent / member, member)
