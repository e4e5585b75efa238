# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pictures with seeds as labels: the input of the second stage."""

import logging
import os
from collections.abc import Mapping
from typing import Any

from mmengine.logging import print_log
from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from ..testing import partworld
from ..utils import UserInputError
from ..utils.palette_png import voc_palette
from .class_prompts import ClassPrompts, get_class_prompts
from .image_files import FileFinder, require_images
from .image_labels import read_image_list

__all__ = ['PseudoLabelDataset']


@DATASETS.register_module()
class PseudoLabelDataset(BaseSegDataset):
    """Seeds as the ground truth of the second stage, 255 ignored.

    It refuses to start when more than ``max_missing`` of the listed pictures
    have no seed; below that share, pictures without one are left out.

    Args:
        class_prompts (str | dict): Names the classes; see
            :func:`get_class_prompts`.
        seed_dir (str): Folder of ``<name>.png``. Unlike the other paths it is
            *not* below ``data_root``: seeds lie in a work folder.
        image_list (str): Split file, below ``data_root``.
        image_dir (str): Folder of the pictures, below ``data_root``.
        max_missing (float): Greatest share of pictures without a seed, 0..1.
        seed_command (str): Command that makes the seeds, for the message.
        data_root (str): Folder of the data set.
        metainfo (dict, optional): Replaces, for example, the ``palette``.
        **kwargs: See mmseg's ``BaseSegDataset``.

    Raises:
        ValueError: If ``max_missing`` is not in 0..1.
    """

    def __init__(
        self,
        class_prompts: str | Mapping[str, Any] | ClassPrompts,
        seed_dir: str,
        image_list: str,
        image_dir: str = 'JPEGImages',
        max_missing: float = 0.0,
        seed_command: str = (
            'python tools/test.py configs/fmwsss/<data set>_seed.py CHECKPOINT'
        ),
        data_root: str = '',
        metainfo: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if not 0 <= max_missing <= 1:
            raise ValueError(
                f'Expected max_missing in 0..1, but got {max_missing}.'
            )
        self.max_missing = max_missing
        self.seed_command = seed_command
        prompts = get_class_prompts(class_prompts)
        palette = (
            partworld.PALETTE
            if class_prompts == 'partworld'
            else voc_palette(len(prompts.labels))
        )
        super().__init__(
            ann_file=image_list,
            data_root=data_root,
            data_prefix={
                'img_path': image_dir,
                'seg_map_path': os.path.abspath(seed_dir),
            },
            metainfo={
                'classes': prompts.labels,
                'palette': palette,
                **(metainfo or {}),
            },
            **kwargs,
        )

    def load_data_list(self) -> list[dict[str, Any]]:
        """Pair pictures and seeds.

        Raises:
            UserInputError: If pictures are missing, or too many seeds.
        """
        folder = self.data_prefix['img_path']
        names = read_image_list(self.ann_file)
        finder = FileFinder()
        records = []
        for name in names:
            seed = f'{name}{self.seg_map_suffix}'
            records.append(
                {
                    'img_path': os.path.join(folder, name + self.img_suffix),
                    'seg_map_path': os.path.join(
                        self.data_prefix['seg_map_path'], seed
                    ),
                    'label_map': self.label_map,
                    'reduce_zero_label': self.reduce_zero_label,
                    'seg_fields': [],
                }
            )
        require_images(
            [r['img_path'] for r in records if not finder(r['img_path'])],
            len(records),
            folder,
            f'Put them there, or take them out of {self.ann_file}.',
        )
        seeded = [r for r in records if finder(r['seg_map_path'])]
        if len(seeded) < len(records):
            missing = [r for r in records if not finder(r['seg_map_path'])]
            self._report_missing(missing, len(records))
        return seeded

    def _report_missing(
        self, missing: list[dict[str, Any]], total: int
    ) -> None:
        share = len(missing) / total
        found = (
            f'{len(missing)} of {total} listed pictures ({share:.1%}) have no '
            f'seed, e.g. {missing[0]["seg_map_path"]} is missing'
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
