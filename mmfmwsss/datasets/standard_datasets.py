# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The layouts of known data sets, as defaults of the general ones."""

from collections.abc import Mapping
from typing import Any

from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from ..testing import partworld
from .class_prompts import CLASS_PROMPTS, ClassPrompts
from .image_label_dataset import ImageLabelDataset

__all__ = [
    'PartWorldImageLabelDataset',
    'PartWorldSegDataset',
    'VOC12ImageLabelDataset',
]

_PARTWORLD = {
    'classes': CLASS_PROMPTS['partworld'].labels,
    'palette': partworld.PALETTE,
}


@DATASETS.register_module()
class VOC12ImageLabelDataset(ImageLabelDataset):
    """PASCAL VOC 2012 with the labels of its XML annotations.

    Args:
        data_root (str): The ``VOC2012`` folder.
        image_list (str): Split file, below ``data_root``.
        **kwargs: See :class:`ImageLabelDataset`; for the test split, which
            has no annotations, set ``xml_dir=None``.
    """

    def __init__(
        self,
        data_root: str,
        image_list: str = 'ImageSets/Segmentation/train.txt',
        image_dir: str = 'JPEGImages',
        xml_dir: str | None = 'Annotations',
        class_prompts: str | Mapping[str, Any] | ClassPrompts = 'voc12',
        **kwargs: Any,
    ) -> None:
        super().__init__(
            class_prompts=class_prompts,
            data_root=data_root,
            image_dir=image_dir,
            image_list=image_list,
            xml_dir=xml_dir,
            **kwargs,
        )


@DATASETS.register_module()
class PartWorldImageLabelDataset(ImageLabelDataset):
    """PartWorld as ``tools/partworld/make_dataset.py`` writes it."""

    METAINFO = _PARTWORLD

    def __init__(
        self,
        data_root: str,
        image_list: str = 'ImageSets/train.txt',
        image_dir: str = 'JPEGImages',
        label_file: str | None = 'image_labels.txt',
        class_prompts: str | Mapping[str, Any] | ClassPrompts = 'partworld',
        **kwargs: Any,
    ) -> None:
        super().__init__(
            class_prompts=class_prompts,
            data_root=data_root,
            image_dir=image_dir,
            image_list=image_list,
            label_file=label_file,
            **kwargs,
        )


@DATASETS.register_module()
class PartWorldSegDataset(BaseSegDataset):
    """PartWorld with its ground truth, to score a segmentor."""

    METAINFO = _PARTWORLD
