# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The sources to check: of a config, or of a known layout."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from ...datasets.image_label_dataset import ImageLabelDataset
from ...datasets.paired_dataset import PairedDataset
from ...datasets.wrapped_datasets import inner_settings
from ...structures.class_tables import get_class_prompts
from ...utils import UserInputError
from .sources import Source

__all__ = ['sources_of_config', 'sources_of_layout']


def sources_of_layout(
    root: str | Path, layout: Literal['voc12', 'coco14']
) -> list[Source]:
    """Find what lies below the folder of a known data set.

    Args:
        root (str | Path): The ``VOC2012`` folder, or that with ``train2014``.
        layout (str): Which data set it is.

    Returns:
        list[Source]: One for each list that is there; masks and annotations
        only where their folder is there.

    Raises:
        UserInputError: If there is no list, or no annotations of COCO.
    """
    # Look for the lists that the layout knows
    root = Path(root)
    find = {'voc12': _voc12, 'coco14': _coco14}[layout]
    sources = list(find(root, get_class_prompts(layout).classes))
    if not sources:
        raise UserInputError(
            f'Expected the layout {layout} in {root}, but it has no list of '
            'pictures. Correct --data-root or --layout.'
        )
    return sources


def _folder(path: Path) -> str | None:
    return str(path) if path.is_dir() else None


def _voc12(root: Path, classes: tuple[str, ...]) -> Iterator[Source]:
    # Find the masks, those of SBD where they were converted
    lists = root / 'ImageSets' / 'Segmentation'
    own = _folder(root / 'SegmentationClass')
    augmented = _folder(root / 'SegmentationClassAug')
    # Describe the splits that are there; test has no labels
    for name in ('train', 'train_aug', 'val', 'test'):
        if not (lists / f'{name}.txt').is_file():
            continue
        masks = augmented if name == 'train_aug' else augmented or own
        yield Source(
            name=name,
            classes=classes,
            image_dir=str(root / 'JPEGImages'),
            image_list=str(lists / f'{name}.txt'),
            xml_dir=None if name == 'test' else str(root / 'Annotations'),
            label_dir=None if name == 'test' else masks,
            needs_labels=name.startswith('train'),
        )


def _coco14(root: Path, classes: tuple[str, ...]) -> Iterator[Source]:
    # Describe the splits whose annotations are there
    for name in ('train', 'val'):
        labels = root / 'annotations' / f'instances_{name}2014.json'
        if not labels.is_file():
            continue
        image_list = root / 'ImageSets' / f'{name}.txt'
        yield Source(
            name=name,
            classes=classes,
            image_dir=str(root / f'{name}2014'),
            image_list=str(image_list) if image_list.is_file() else None,
            label_file=str(labels),
            label_dir=_folder(root / 'SegmentationClass' / f'{name}2014'),
            needs_labels=name == 'train',
        )


def sources_of_config(config: Config) -> list[Source]:
    """Find what the data loaders of a config would read.

    Args:
        config (Config): Of a run.

    Returns:
        list[Source]: One for each different data set in it.

    Raises:
        UserInputError: If no data loader has a data set that can be checked.
    """
    # Collect the data sets of all loaders, each once
    sources = []
    for role in ('train', 'val', 'test'):
        loader = config.get(f'{role}_dataloader')
        truth = _ground_truth(config.get(f'{role}_evaluator'))
        for settings in inner_settings(loader.dataset) if loader else ():
            source = _source(settings, role == 'train', truth)
            if source is not None and source not in sources:
                sources.append(source)
    if not sources:
        raise UserInputError(
            f'Expected a data set in a data loader of {config.filename}, but '
            'there is none. Use --data-root and --layout.'
        )
    return sources


def _ground_truth(evaluators: Any) -> str | None:
    for metric in evaluators if isinstance(evaluators, list) else [evaluators]:
        if metric and metric.get('ground_truth_dir'):
            return str(metric['ground_truth_dir'])
    return None


def _source(
    settings: Mapping[str, Any], training: bool, truth: str | None
) -> Source | None:
    # Build the data set without reading anything
    dataset = DATASETS.build({**settings, 'pipeline': [], 'lazy_init': True})
    steps = [s for s in settings.get('pipeline', ()) if 'mask_dir' in s]
    # Take over what all data sets have
    plain = Source(
        name='images',
        classes=_classes(dataset),
        image_dir=dataset.data_prefix['img_path'],
        sam_mask_dir=str(steps[0]['mask_dir']) if steps else None,
    )
    # Add the lists and labels of image-level supervision
    if isinstance(dataset, ImageLabelDataset):
        return replace(
            plain,
            name=_name(dataset.image_list or dataset.label_file),
            image_suffixes=dataset.image_suffixes,
            image_list=dataset.image_list,
            label_file=dataset.label_file,
            xml_dir=dataset.xml_dir,
            label_dir=truth,
            needs_labels=training and not dataset.drop_unlabelled,
        )
    # Add the lists and label maps of full supervision
    if isinstance(dataset, BaseSegDataset):
        return replace(
            plain,
            name=_name(dataset.ann_file),
            image_suffixes=_suffixes(dataset),
            image_list=dataset.ann_file or None,
            label_dir=dataset.data_prefix.get('seg_map_path') or truth,
        )
    return None


def _classes(dataset: BaseDataset) -> tuple[str, ...]:
    """List the foreground classes of the files; a run may use some."""
    names = dataset.METAINFO.get('classes') or dataset.metainfo['classes']
    first = 0 if getattr(dataset, 'reduce_zero_label', False) else 1
    return tuple(names[first:])


def _suffixes(dataset: BaseSegDataset) -> tuple[str, ...]:
    if isinstance(dataset, PairedDataset):
        return tuple(dataset.image_suffixes)
    return (dataset.img_suffix,)


def _name(path: str | None) -> str:
    return os.path.splitext(os.path.basename(path))[0] if path else 'pictures'
