# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pictures with ground-truth masks: evaluation and full supervision."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmseg.registry import DATASETS

from ..structures.class_prompts import ClassPrompts
from ..utils import UserInputError
from .paired_dataset import PairedDataset

__all__ = ['GroundTruthDataset']


@DATASETS.register_module()
class GroundTruthDataset(PairedDataset):
    """Pictures and their ground truth; never for weak supervision.

    A network is evaluated on it, or trained for the upper bound. Without
    ``ground_truth_dir`` it is a set of pictures to predict, such as VOC's
    test split. The general arguments are those of :class:`PairedDataset`.

    Args:
        class_prompts (str | dict): Names the classes; see
            :func:`get_class_prompts`.
        ground_truth_dir (str, optional): Folder of ``<image name>.png``,
            below ``data_root`` or absolute.
        image_list (str, optional): Split file, below ``data_root``.
        image_dir (str): Folder of the pictures, below ``data_root``.
        remedy (str): Where the masks come from, for the message.
        **kwargs: ``image_suffix``, ``data_root``, ``pipeline``,
            ``test_mode`` and so on.
    """

    def __init__(
        self,
        class_prompts: str | Mapping[str, Any] | ClassPrompts,
        ground_truth_dir: str | None = None,
        image_list: str | None = None,
        image_dir: str = 'JPEGImages',
        remedy: str = '',
        **kwargs: Any,
    ) -> None:
        self.remedy = remedy
        super().__init__(
            class_prompts=class_prompts,
            label_dir=ground_truth_dir,
            image_list=image_list,
            image_dir=image_dir,
            **kwargs,
        )

    def report_missing(self, missing: Sequence[str], total: int) -> None:
        """Refuse to start.

        Raises:
            UserInputError: Always.
        """
        raise UserInputError(
            f'Expected a ground-truth mask for each of {total} pictures, but '
            f'{len(missing)} are missing, e.g. {missing[0]}. {self.remedy} '
            'Or set `ground_truth_dir=None` to predict without masks.'
        )
