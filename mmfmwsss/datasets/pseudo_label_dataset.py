# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pictures with seeds as labels: the input of the second stage."""

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.logging import print_log
from mmseg.registry import DATASETS

from ..structures.class_prompts import ClassPrompts
from ..utils import UserInputError
from .failed_images import prepare_or_pack_failure
from .paired_dataset import PairedDataset
from .seed_files import check_seed, refuse_no_seeds

__all__ = ['PseudoLabelDataset']

_SEEDS = 'seg_map_path'
_CHECKED_AT_START = 16  # completely; the others when they are read


@DATASETS.register_module()
class PseudoLabelDataset(PairedDataset):
    """Seeds as the ground truth of the second stage, 255 ignored.

    It refuses to start when more than ``max_missing`` of the listed pictures
    have no seed; below that share, pictures without one are left out. It
    refuses files that are no label maps at the start, and a seed of other
    classes or of another size than its picture at the start for a few, and
    when it is first read for the others. The general arguments are those of
    :class:`PairedDataset`.

    Args:
        class_prompts (str | dict): Names the classes; see
            :func:`get_class_prompts`.
        seed_dir (str, optional): Folder of ``<image name>.png``. Unlike the
            other paths it is *not* below ``data_root``: seeds lie in a work
            folder. May be left out if ``data_prefix`` has ``seg_map_path``.
        image_list (str, optional): Split file, below ``data_root``. Without
            it: all pictures of ``image_dir``.
        image_dir (str): Folder of the pictures, below ``data_root``.
        max_missing (float): Greatest share of pictures without a seed, 0..1.
        seed_command (str): Command that makes the seeds, for the message.
        **kwargs: ``image_suffix``, ``data_root``, ``pipeline`` and so on.

    Raises:
        ValueError: If ``max_missing`` is not in 0..1.
        UserInputError: If no folder of seeds is given.
    """

    def __init__(
        self,
        class_prompts: str | Mapping[str, Any] | ClassPrompts,
        seed_dir: str | None = None,
        image_list: str | None = None,
        image_dir: str = 'JPEGImages',
        max_missing: float = 0.0,
        seed_command: str = (
            'python tools/test.py configs/fmwsss/<data set>_seed.py CHECKPOINT'
        ),
        **kwargs: Any,
    ) -> None:
        if not 0 <= max_missing <= 1:
            raise ValueError(
                f'Expected max_missing in 0..1, but got {max_missing}.'
            )
        if not (seed_dir or (kwargs.get('data_prefix') or {}).get(_SEEDS)):
            raise UserInputError(
                'Expected a folder of seeds, but got none. Set `seed_dir`, or '
                f"data_prefix=dict({_SEEDS}='FOLDER') below `data_root`."
            )
        # Keep what the checks of seeds need
        self.max_missing = max_missing
        self.seed_command = seed_command
        self._checked: set[str] = set()
        # Pair the pictures with the seeds, as label maps
        super().__init__(
            class_prompts=class_prompts,
            label_dir=seed_dir and os.path.abspath(seed_dir),
            image_list=image_list,
            image_dir=image_dir,
            **kwargs,
        )

    def load_data_list(self) -> list[dict[str, Any]]:
        """Pair pictures and seeds.

        Raises:
            UserInputError: If pictures or too many seeds are missing, or a
                seed is none of this data set.
        """
        # Refuse files that are no label maps
        records = super().load_data_list()
        refuse_no_seeds([r['seg_map_path'] for r in records], self._remedy)
        # Read some seeds in full now; the others when they are drawn
        step = max(1, len(records) // _CHECKED_AT_START)
        for record in records[::step]:
            self._check(record)
        return records

    @property
    def _remedy(self) -> str:
        return f'Make the seeds of this data set with `{self.seed_command}`.'

    def _check(self, record: dict[str, Any]) -> None:
        path = record['seg_map_path']
        # Check each seed once
        if path not in self._checked:
            check_seed(
                path,
                record['img_path'],
                self.num_labels,
                self._remedy,
            )
            self._checked.add(path)

    def prepare_data(self, idx: int) -> Any:
        """Check the seed when it is first read, and run the pipeline.

        Raises:
            UserInputError: In training, if the picture or the seed is wrong.
        """
        return prepare_or_pack_failure(self, idx, self._check)

    def report_missing(self, missing: Sequence[str], total: int) -> None:
        """Refuse to start, or say that pictures are left out.

        Raises:
            UserInputError: If more than ``max_missing`` are missing, or all.
        """
        share = len(missing) / total
        found = (
            f'{len(missing)} of {total} listed pictures ({share:.1%}) have no '
            f'seed, e.g. {missing[0]} is missing'
        )
        # Stop if so many seeds are missing that they were never made
        if share > self.max_missing or len(missing) == total:
            raise UserInputError(
                f'Expected at most {self.max_missing:.1%} of the pictures '
                f'without a seed, but {found}. Make the seeds with '
                f'`{self.seed_command}`, or raise `max_missing`.'
            )
        # Train without the few that failed
        print_log(
            f'{found}; these pictures are left out. `{self.seed_command}` '
            'makes the seeds.',
            logger='current',
            level=logging.WARNING,
        )
