# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pictures with seeds as labels: the input of the second stage."""

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.logging import print_log
from mmseg.registry import DATASETS

from ..utils import UserInputError
from .class_prompts import ClassPrompts
from .paired_dataset import PairedDataset

__all__ = ['PseudoLabelDataset']


@DATASETS.register_module()
class PseudoLabelDataset(PairedDataset):
    """Seeds as the ground truth of the second stage, 255 ignored.

    It refuses to start when more than ``max_missing`` of the listed pictures
    have no seed; below that share, pictures without one are left out. The
    general arguments are those of :class:`PairedDataset`.

    Args:
        class_prompts (str | dict): Names the classes; see
            :func:`get_class_prompts`.
        seed_dir (str): Folder of ``<image name>.png``. Unlike the other paths
            it is *not* below ``data_root``: seeds lie in a work folder.
        image_list (str, optional): Split file, below ``data_root``. Without
            it: all pictures of ``image_dir``.
        image_dir (str): Folder of the pictures, below ``data_root``.
        max_missing (float): Greatest share of pictures without a seed, 0..1.
        seed_command (str): Command that makes the seeds, for the message.
        **kwargs: ``image_suffix``, ``data_root``, ``pipeline`` and so on.

    Raises:
        ValueError: If ``max_missing`` is not in 0..1.
    """

    def __init__(
        self,
        class_prompts: str | Mapping[str, Any] | ClassPrompts,
        seed_dir: str,
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
        self.max_missing = max_missing
        self.seed_command = seed_command
        super().__init__(
            class_prompts=class_prompts,
            map_dir=os.path.abspath(seed_dir),
            image_list=image_list,
            image_dir=image_dir,
            **kwargs,
        )

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
        if share > self.max_missing or len(missing) == total:
            raise UserInputError(
                f'Expected at most {self.max_missing:.1%} of the pictures '
                f'without a seed, but {found}. Make the seeds with '
                f'`{self.seed_command}`, or raise `max_missing`.'
            )
        print_log(
            f'{found}; these pictures are left out. `{self.seed_command}` '
            'makes the seeds.',
            logger='current',
            level=logging.WARNING,
        )
