# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The data sets on which the paper's tables can be run."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .paper_tables import Row

__all__ = ['TABLE_DATASETS', 'TableDataset']


@dataclass(frozen=True)
class TableDataset:
    """A data set on which the tables can be run.

    Attributes:
        prefix: What its configs start with.
        title: Its name for people.
        root: Its folder, unless ``root_variable`` is set.
        root_variable: Environment variable its configs read.
        truth: Folder of the masks to score seeds with, below the root.
        networks: Config of each network of Table 3, without suffix.
        make: Arguments after ``python`` that make the data set, if a command
            can.
        parts: Files and folders below the root that the runs read, if no
            command makes them.
        network_prefix: Of the metrics of the networks' tests.
        val_masks: Settings of its mask config that make the masks of val, if
            those are not made with the others.
        lists: File of the names of each split that can be shortened.
        variables: Environment variable by the limit of a run that it sets;
            see :class:`RunLimits`.
        nameless_background: Whether its own segmentation prompts are of the
            paper's design, with nameless backgrounds; if not, Table 2 learns
            such prompts as well.
        seeds: How many its tables are made of, unless one says otherwise.
        about: Says what the models of its runs are, for the page.
    """

    prefix: str
    title: str
    root: str
    root_variable: str
    truth: str
    networks: dict[str, str]
    make: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    network_prefix: str = ''
    val_masks: tuple[str, ...] = ()
    lists: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    nameless_background: bool = True
    seeds: int = 1
    about: str = ''

    def inputs(self) -> tuple[str, ...]:
        """List files and folders that the runs read and do not make."""
        root = Path(os.environ.get(self.root_variable, self.root))
        return tuple(str(root / part) for part in self.parts)

    def ground_truth_dir(self) -> str:
        """Return the folder of the masks to score seeds with."""
        return str(
            Path(os.environ.get(self.root_variable, self.root)) / self.truth
        )

    def metric(self, row: Row) -> str:
        """Name the figure of a row among the metrics of its run."""
        if '/' in row.metric or not self.network_prefix:
            return row.metric
        return f'{self.network_prefix}/{row.metric}'


_IMAGE_LIST = 'test_dataloader.dataset.image_list'

TABLE_DATASETS = {
    'animals': TableDataset(
        prefix='animals',
        title='VOC-Animals',
        root='data/VOCdevkit/VOC2012',
        root_variable='VOC12_ROOT',
        truth='SegmentationClassAug',
        networks=dict(
            deeplabv3plus='animals_deeplabv3plus',
            mask2former='animals_mask2former',
        ),
        parts=('JPEGImages', 'SegmentationClassAug'),
        network_prefix='val',
        val_masks=(f'{_IMAGE_LIST}=mmfmwsss://voc_animals/val.txt',),
        lists=dict(
            images='mmfmwsss://voc_animals/train_aug.txt',
            val_images='mmfmwsss://voc_animals/val.txt',
        ),
        variables=dict(
            images='ANIMALS_TRAIN_LIST',
            val_images='ANIMALS_VAL_LIST',
            mask_dir='ANIMALS_MASK_DIR',
            prompt_epochs='ANIMALS_PROMPT_EPOCHS',
            network_iterations='ANIMALS_NETWORK_ITERATIONS',
        ),
        nameless_background=False,
        seeds=3,
        about=(
            "The paper's figures are of VOC 2012, 20 classes, with OpenAI's "
            'CLIP ViT-B/16, SAM ViT-H and networks of full size. Here are '
            'photos of VOC 2012 with five animals only, and models that a '
            'CPU can run: the photo CLIP of this package, MobileSAM, and '
            'networks on EfficientNet-Lite2. The two stand beside each other '
            'to compare the order of the rows, not the figures.'
        ),
    ),
    'partworld': TableDataset(
        prefix='partworld',
        title='PartWorld',
        root='data/partworld',
        root_variable='PARTWORLD_ROOT',
        truth='SegmentationClass',
        networks=dict(
            deeplabv3plus='partworld_deeplabv3plus',
            mask2former='partworld_mask2former',
        ),
        make=('tools/partworld/make_dataset.py', 'data/partworld'),
        about=(
            "The paper's figures are of VOC 2012 with OpenAI's CLIP ViT-B/16 "
            'and SAM ViT-H; they stand beside ours to compare the order of '
            'the rows, not the figures.'
        ),
    ),
    'voc12': TableDataset(
        prefix='voc',
        title='VOC 2012',
        root='data/VOCdevkit/VOC2012',
        root_variable='VOC12_ROOT',
        truth='SegmentationClassAug',
        networks=dict(
            deeplabv3plus='voc_deeplabv3plus_r101',
            mask2former='voc_mask2former_swin_l',
        ),
        parts=(
            'JPEGImages',
            'Annotations',
            'ImageSets/Segmentation',
            'SegmentationClassAug',
        ),
        network_prefix='val',
        val_masks=(f'{_IMAGE_LIST}=ImageSets/Segmentation/val.txt',),
        about="The paper's figures are of VOC 2012.",
    ),
    'coco14': TableDataset(
        prefix='coco',
        title='COCO 2014',
        root='data/coco14',
        root_variable='COCO14_ROOT',
        truth='SegmentationClass/train2014',
        networks=dict(
            deeplabv3plus='coco_deeplabv3plus_r101',
            mask2former='coco_mask2former_swin_l',
        ),
        parts=(
            'train2014',
            'val2014',
            'annotations',
            'ImageSets',
            'SegmentationClass',
        ),
        network_prefix='val',
        val_masks=('test_dataloader.dataset.split=val',),
        about="The paper's figures are of VOC 2012.",
    ),
}
