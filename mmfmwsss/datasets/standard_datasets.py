# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The layouts of known data sets, as defaults of the general ones."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from ..structures.class_prompts import ClassPrompts
from ..structures.class_tables import CLASS_PROMPTS
from ..utils import UserInputError
from .failed_images import mmseg_scope, read_strictly
from .ground_truth_dataset import GroundTruthDataset
from .image_label_dataset import ImageLabelDataset

__all__ = [
    'COCO14ImageLabelDataset',
    'COCO14SegDataset',
    'PartWorldImageLabelDataset',
    'PartWorldSegDataset',
    'VOC12ImageLabelDataset',
    'VOC12SegDataset',
]

_PARTWORLD = {
    'classes': CLASS_PROMPTS['partworld'].labels,
    'palette': [list(c) for c in CLASS_PROMPTS['partworld'].palette],
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
class VOC12SegDataset(GroundTruthDataset):
    """PASCAL VOC 2012 with its ground truth, or its test split.

    Args:
        data_root (str): The ``VOC2012`` folder.
        image_list (str): Split file, below ``data_root``.
        ground_truth_dir (str, optional): Folder of masks, below
            ``data_root``; None for the test split, which has none.
        **kwargs: See :class:`GroundTruthDataset`.
    """

    def __init__(
        self,
        data_root: str,
        image_list: str = 'ImageSets/Segmentation/val.txt',
        image_dir: str = 'JPEGImages',
        ground_truth_dir: str | None = 'SegmentationClassAug',
        class_prompts: str | Mapping[str, Any] | ClassPrompts = 'voc12',
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault(
            'remedy',
            'tools/dataset_converters/voc_aug.py makes SegmentationClassAug.',
        )
        super().__init__(
            class_prompts=class_prompts,
            data_root=data_root,
            image_list=image_list,
            image_dir=image_dir,
            ground_truth_dir=ground_truth_dir,
            **kwargs,
        )


@DATASETS.register_module()
class COCO14ImageLabelDataset(ImageLabelDataset):
    """COCO 2014 with the image-level labels of its instances.

    Pictures without any instance are left out, as in the literature, which
    leaves 82,081 of train and 40,137 of val.

    Args:
        data_root (str): Folder with ``annotations``, ``train2014`` and
            ``val2014``.
        split (str): ``'train'`` or ``'val'``.
        image_list (str, optional): Some of the pictures only: a split file,
            below ``data_root``.
        label_file (str, optional): Below ``data_root``. Default:
            ``annotations/instances_<split>2014.json``.
        **kwargs: See :class:`ImageLabelDataset`.
    """

    def __init__(
        self,
        data_root: str,
        split: Literal['train', 'val'] = 'train',
        image_list: str | None = None,
        label_file: str | None = None,
        class_prompts: str | Mapping[str, Any] | ClassPrompts = 'coco14',
        **kwargs: Any,
    ) -> None:
        _check_split(split)
        super().__init__(
            class_prompts=class_prompts,
            data_root=data_root,
            image_dir=f'{split}2014',
            image_list=image_list,
            label_file=label_file or f'annotations/instances_{split}2014.json',
            **kwargs,
        )


@DATASETS.register_module()
class COCO14SegDataset(GroundTruthDataset):
    """COCO 2014 with the masks of ``tools/dataset_converters/coco14.py``.

    Args:
        data_root (str): Folder with ``train2014`` and ``val2014``.
        split (str): ``'train'`` or ``'val'``.
        image_list (str, optional): Split file, below ``data_root``. Default:
            ``ImageSets/<split>.txt``, the pictures with labels.
        ground_truth_dir (str, optional): Folder of masks, below
            ``data_root``. Default: ``SegmentationClass/<split>2014``.
        **kwargs: See :class:`GroundTruthDataset`.
    """

    def __init__(
        self,
        data_root: str,
        split: Literal['train', 'val'] = 'val',
        image_list: str | None = None,
        ground_truth_dir: str | None = 'SegmentationClass/{split}2014',
        class_prompts: str | Mapping[str, Any] | ClassPrompts = 'coco14',
        **kwargs: Any,
    ) -> None:
        _check_split(split)
        kwargs.setdefault(
            'remedy', 'tools/dataset_converters/coco14.py makes the masks.'
        )
        super().__init__(
            class_prompts=class_prompts,
            data_root=data_root,
            image_list=image_list or f'ImageSets/{split}.txt',
            image_dir=f'{split}2014',
            ground_truth_dir=ground_truth_dir
            and ground_truth_dir.format(split=split),
            **kwargs,
        )


def _check_split(split: str) -> None:
    if split not in ('train', 'val'):
        raise ValueError(
            f"Expected split to be 'train' or 'val', but got {split!r}."
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
        if not Path(data_root).is_dir():
            raise UserInputError(
                f'Expected PartWorld in {data_root}, but there is no such '
                'folder. Run `python tools/partworld/make_dataset.py '
                f'{data_root}`.'
            )
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

    def __init__(self, **kwargs: Any) -> None:
        with mmseg_scope():
            super().__init__(**kwargs)
        read_strictly(self)
