# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pictures with label maps: seeds, or ground truth; and those without."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from mmseg.datasets import BaseSegDataset

from ..structures.class_prompts import ClassPrompts
from ..structures.class_tables import get_class_prompts
from .failed_images import (
    mmseg_scope,
    pack_names,
    prepare_or_pack_failure,
    read_strictly,
)
from .image_files import FileFinder
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
        **kwargs: See mmseg's ``BaseSegDataset``.
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
        **kwargs: Any,
    ) -> None:
        # Settle suffixes, classes and folders
        self.image_suffixes = (
            (image_suffix,)
            if isinstance(image_suffix, str)
            else tuple(image_suffix)
        )
        prompts = get_class_prompts(class_prompts)
        prefix = {'img_path': image_dir}
        if label_dir is not None:
            prefix['seg_map_path'] = label_dir
        # Let mmseg's base class hold the records and run the pipeline
        with mmseg_scope():
            super().__init__(
                ann_file=below_root('', image_list) or '',
                data_root=data_root,
                data_prefix=prefix,
                metainfo={
                    'classes': prompts.labels,
                    'palette': list(prompts.palette),
                    **prompts.checked_metainfo(metainfo),
                },
                **kwargs,
            )
        # Keep names, and read files strictly, in mmseg's own transforms
        pack_names(self)
        read_strictly(self)

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
