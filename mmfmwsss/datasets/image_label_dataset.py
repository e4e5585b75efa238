# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pictures with image-level labels: the input of weak supervision."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from mmseg.registry import DATASETS

from ..structures.class_prompts import ClassPrompts
from ..structures.class_tables import get_class_prompts
from ..utils import UserInputError
from .class_subsets import kept_classes, select_classes
from .failed_images import (
    mmseg_scope,
    pack_names,
    prepare_or_pack_failure,
    read_strictly,
)
from .image_files import suffixes_of
from .image_label_source import ImageLabelSource, LabelledImage
from .image_labels import labels_to_array
from .image_lists import below_root

__all__ = ['ImageLabelDataset']


@DATASETS.register_module()
class ImageLabelDataset(BaseDataset):
    """Pictures and the classes each of them shows. It reads no mask.

    Labels come from ``label_file`` (see :func:`read_image_labels`) or from
    the VOC annotations in ``xml_dir``; a test run may do without. The
    pictures are those of ``image_list``, else those that have labels, else
    all of ``image_dir`` and its sub-folders.

    In a test run a picture whose pipeline fails becomes a placeholder with
    ``metainfo['failure']``, and the run goes on. In training it is an error.

    Args:
        class_prompts (str | dict): Name of the classes, their YAML file, or
            the names; see :func:`get_class_prompts`.
        image_dir (str): Folder of the pictures, below ``data_root``.
        image_list (str, optional): Split file, below ``data_root``, or
            ``mmfmwsss://NAME`` of one that comes with the package.
        label_file (str, optional): Text, CSV or JSON, likewise.
        xml_dir (str, optional): Folder of annotations, below ``data_root``.
        image_suffix (str | Sequence[str]): Suffix, or suffixes, of pictures,
            in any case.
        data_root (str): Folder of the data set.
        pipeline (Sequence): Transforms.
        test_mode (bool): Whether this is a test run.
        drop_unlabelled (bool): Whether to leave pictures without a label out
            of training, with a warning, instead of refusing to start.
        metainfo (dict, optional): Replaces, for example, the ``palette``.
            ``classes`` selects the background and some of the classes, the
            others count as not there; or it renames them all.
        ann_file (str): mmseg's name of ``image_list``, which it overrides.
        data_prefix (dict, optional): Likewise ``img_path`` for ``image_dir``.
        img_suffix (str, optional): Likewise for ``image_suffix``.
        **kwargs: ``indices``, ``serialize_data``, ``lazy_init`` and so on of
            mmengine's ``BaseDataset``.

    Each record has ``img_path``, ``image_name`` (the path below ``image_dir``
    without the suffix, which names its masks and seeds), ``image_labels``
    bool (C,), and ``seg_fields``, ``label_map`` and ``reduce_zero_label`` for
    mmseg.
    """

    METAINFO: dict[str, Any] = {}  # noqa: RUF012  mmengine's own

    def __init__(
        self,
        class_prompts: str | Mapping[str, Any] | ClassPrompts,
        image_dir: str = '',
        image_list: str | None = None,
        label_file: str | None = None,
        xml_dir: str | None = None,
        image_suffix: str | Sequence[str] = '.jpg',
        data_root: str = '',
        pipeline: Sequence[Mapping[str, Any] | Callable[..., Any]] = (),
        test_mode: bool = False,
        drop_unlabelled: bool = False,
        metainfo: Mapping[str, Any] | None = None,
        ann_file: str = '',
        data_prefix: Mapping[str, str | None] | None = None,
        img_suffix: str | Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        # Settle classes, lists and suffixes, as paths below the data root
        self.class_prompts = get_class_prompts(class_prompts)
        self.image_list = below_root(data_root, ann_file or image_list)
        self.label_file = below_root(data_root, label_file)
        self.xml_dir = below_root(data_root, xml_dir)
        self.image_suffixes = suffixes_of(img_suffix or image_suffix)
        self.drop_unlabelled = drop_unlabelled
        # Settle the classes that are asked for
        labels = self.class_prompts.labels
        palette = [list(colour) for colour in self.class_prompts.palette]
        palette = self.METAINFO.get('palette', palette)
        self.METAINFO = {
            **self.METAINFO,
            'classes': labels,
            'palette': palette,
        }
        selected = select_classes(labels, palette, metainfo)
        self.label_map = selected.label_map
        self._kept = kept_classes(self.label_map, self.class_prompts.classes)
        # Let mmseg's base class load nothing but what we find
        images = (data_prefix or {}).get('img_path')
        with mmseg_scope():
            super().__init__(
                metainfo={
                    **self.METAINFO,
                    **selected.metainfo,
                    'label_map': self.label_map,
                    'reduce_zero_label': False,
                },
                data_root=data_root,
                data_prefix={
                    'img_path': image_dir if images is None else images
                },
                pipeline=list(pipeline),
                test_mode=test_mode,
                **kwargs,
            )
        # Keep names, and read files strictly, in mmseg's own transforms
        pack_names(self)
        read_strictly(self)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Find pictures and labels, and check both.

        Raises:
            UserInputError: If listed pictures are missing, if two have one
                name, if a label is of no class or, in training, if pictures
                have no label.
        """
        # Find the pictures, and read the labels of each
        found = ImageLabelSource(
            image_dir=self.data_prefix['img_path'],
            image_list=self.image_list,
            label_file=self.label_file,
            xml_dir=self.xml_dir,
            image_suffixes=self.image_suffixes,
        ).read(self.class_prompts.classes)
        # Leave out the classes that are not asked for
        kept = self._kept
        found = [
            LabelledImage(image, tuple(c for c in shown if c in kept))
            for image, shown in found
        ]
        # Report pictures without a label, and leave them out of training
        unlabelled = [image.name for image, shown in found if not shown]
        if unlabelled:
            self._report_unlabelled(unlabelled, len(found))
            if self.drop_unlabelled and not self.test_mode:
                found = [labelled for labelled in found if labelled.classes]
        # Make mmseg's records, with labels in place of a ground truth
        return [
            {
                'img_path': image.path,
                'image_name': image.name,
                'image_labels': labels_to_array(shown, kept),
                'label_map': self.label_map,
                'reduce_zero_label': False,
                'seg_fields': [],
            }
            for image, shown in found
        ]

    def _report_unlabelled(self, names: Sequence[str], total: int) -> None:
        # Describe the pictures and the file to mend
        found = (
            f'{len(names)} of {total} pictures have no image-level label, '
            f'e.g. {names[0]}'
        )
        source = self.label_file or self.xml_dir or '`label_file`'
        # Refuse to train on them, unless they are to be dropped
        droppable = self.drop_unlabelled and len(names) < total
        if not (self.test_mode or droppable):
            raise UserInputError(
                'Expected a class or more for every training picture, but '
                f'{found}. Add them to {source}, or set `drop_unlabelled`.'
            )
        # Say what follows for this run, unless no labels were asked for
        if self.test_mode and not (self.label_file or self.xml_dir):
            return
        effect = (
            'their seeds will be all background'
            if self.test_mode
            else 'training leaves them out'
        )
        print_log(
            f'{found}: {effect}. Add their classes to {source} if they show '
            'any.',
            logger='current',
            level=logging.WARNING,
        )

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline; a failure is listed, not fatal, in a test run.

        Raises:
            UserInputError: In training, if the picture or what belongs to it
                cannot be read.
        """
        return prepare_or_pack_failure(self, idx)

    def get_cat_ids(self, idx: int) -> list[int]:
        """List the present foreground classes, 0-based, for samplers."""
        labels = self.get_data_info(idx)['image_labels']
        return [int(c) for c in np.flatnonzero(labels)]
