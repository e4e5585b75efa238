# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pictures with label maps: seeds, or ground truth; and those without."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmseg.datasets import BaseSegDataset

from ..structures.class_prompts import ClassPrompts
from ..structures.class_tables import get_class_prompts
from ..utils.labels import IGNORE_LABEL, renumber_labels
from ..utils.palette_png import read_label_png
from .class_subsets import select_classes
from .failed_images import (
    mmseg_scope,
    pack_names,
    prepare_or_pack_failure,
    read_strictly,
)
from .image_files import FileFinder, suffixes_of
from .image_folder import ImageFile, ImageFolder
from .image_lists import below_root, read_image_list

__all__ = ['PairedDataset']


class PairedDataset(BaseSegDataset):
    """Pair each image with one label map: a seed, or ground truth.

    In a test run a picture whose pipeline fails becomes a placeholder with
    ``metainfo['failure']``, and the run goes on. In training it is an error.

    Args:
        class_prompts (str | dict): Names the classes, so that both stages
            have one list; see :func:`get_class_prompts`.
        label_dir (str, optional): Folder of ``<image name>.png``, with the
            sub-folders of the pictures, below ``data_root`` or absolute.
            None: there are no label maps.
        image_list (str, optional): Split file, below ``data_root``, or
            ``mmfmwsss://NAME`` of one that comes with the package. Without
            it: all pictures of ``image_dir`` and its sub-folders.
        image_dir (str): Folder of the pictures, below ``data_root``.
        image_suffix (str | Sequence[str]): Suffix, or suffixes, of pictures,
            in any case.
        data_root (str): Folder of the data set.
        metainfo (dict, optional): Replaces, for example, the ``palette``.
            ``classes`` selects some of the labels, the others are ignored; or
            it renames them all. See :func:`select_classes`.
        ann_file (str): mmseg's name of ``image_list``, which it overrides.
        data_prefix (dict, optional): Likewise ``img_path`` for ``image_dir``
            and ``seg_map_path``, which is below ``data_root``, for
            ``label_dir``.
        img_suffix (str, optional): Likewise for ``image_suffix``.
        **kwargs: See mmseg's ``BaseSegDataset``. With ``reduce_zero_label``
            the background is ignored, and is no class.
    """

    def __init__(
        self,
        class_prompts: str | Mapping[str, Any] | ClassPrompts,
        label_dir: str | None,
        image_list: str | None,
        image_dir: str,
        image_suffix: str | Sequence[str] = '.jpg',
        data_root: str = '',
        metainfo: Mapping[str, Any] | None = None,
        ann_file: str = '',
        data_prefix: Mapping[str, str | None] | None = None,
        img_suffix: str | Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        # Settle suffixes and folders, by our names or by mmseg's
        self.image_suffixes = suffixes_of(img_suffix or image_suffix)
        prefix = {'img_path': image_dir, 'seg_map_path': label_dir}
        prefix.update(data_prefix or {})
        # Settle the labels of the files, and those that are asked for
        prompts = get_class_prompts(class_prompts)
        first = 1 if kwargs.get('reduce_zero_label') else 0
        labels = prompts.labels[first:]
        palette = [list(colour) for colour in prompts.palette[first:]]
        self.num_labels = len(prompts.labels)  # in the files
        self.METAINFO = {'classes': labels, 'palette': palette}
        self._selected = select_classes(labels, palette, metainfo)
        # Let mmseg's base class hold the records and run the pipeline
        with mmseg_scope():
            super().__init__(
                ann_file=below_root('', ann_file or image_list) or '',
                data_root=data_root,
                data_prefix={k: v for k, v in prefix.items() if v is not None},
                metainfo=self._selected.metainfo,
                **kwargs,
            )
        # Keep names, and read files strictly, in mmseg's own transforms
        pack_names(self)
        read_strictly(self)

    def get_label_map(
        self, new_classes: Sequence[str] | None = None
    ) -> dict[int, int] | None:
        """Return the new number of each label, None if all stay."""
        return self._selected.label_map

    def load_data_list(self) -> list[dict[str, Any]]:
        """Pair pictures and label maps.

        Raises:
            UserInputError: If pictures are missing, two have one name, or too
                many label maps are missing.
        """
        # Find the pictures, those of the list or all
        folder = ImageFolder(self.data_prefix['img_path'], self.image_suffixes)
        listed = (
            read_image_list(self.ann_file) if self.ann_file else folder.all()
        )
        images = folder.find_all(listed, self.ann_file)
        # Pair each with its label map, if there is a folder of them
        records = [self._record(image) for image in images]
        if 'seg_map_path' not in self.data_prefix:
            return records
        # Report missing label maps, and leave their pictures out
        finder = FileFinder()
        missing = [r for r in records if not finder(r['seg_map_path'])]
        if not missing:
            return records
        self.report_missing([r['seg_map_path'] for r in missing], len(images))
        return [r for r in records if finder(r['seg_map_path'])]

    def _record(self, image: ImageFile) -> dict[str, Any]:
        record = {
            'img_path': image.path,
            'image_name': image.name,
            'label_map': self.label_map,
            'reduce_zero_label': self.reduce_zero_label,
            'seg_fields': [],
        }
        # Name the label map after the picture
        if 'seg_map_path' in self.data_prefix:
            record['seg_map_path'] = os.path.join(
                self.data_prefix['seg_map_path'],
                image.name + self.seg_map_suffix,
            )
        return record

    def report_missing(self, missing: Sequence[str], total: int) -> None:
        """Refuse to start, or say that pictures are left out.

        Args:
            missing (Sequence[str]): Label maps that are not there.
            total (int): Number of pictures.
        """
        raise NotImplementedError

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline; a failure is listed, not fatal, in a test run."""
        return prepare_or_pack_failure(self, idx)

    def get_cat_ids(self, idx: int) -> list[int]:
        """List the labels that an image's label map shows, for samplers."""
        path = self.get_data_info(idx)['seg_map_path']
        shown = np.unique(read_label_png(path))
        numbers = renumber_labels(
            shown, self.label_map, self.reduce_zero_label
        )
        return sorted({int(n) for n in numbers} - {IGNORE_LABEL})
