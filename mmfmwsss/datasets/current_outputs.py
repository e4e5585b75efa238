# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Leave out of a test run the pictures whose label maps are current."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dataset import BaseDataset
from mmseg.structures import SegDataSample

from ..utils import digest_of, digest_of_file
from ..utils.image_names import image_name_of
from ..utils.palette_png import read_label_png_made_of

__all__ = ['CurrentOutputs', 'digest_for_field']


def digest_for_field(made_of: str, prediction: str) -> str:
    """Hash what decides one field of a prediction, for its label map."""
    return digest_of([made_of, prediction])


class CurrentOutputs:
    """A data set that hands over a note instead of a finished picture.

    A picture is finished if all its label maps are there, as they were
    written, and were made of the same picture, labels and masks with the same
    settings. It is not loaded then: its sample has ``finished`` in its meta
    information and nothing else. All samples have ``made_of``, which
    ``SeedMetric`` writes into the label maps.

    Args:
        dataset (BaseDataset): The data set.
    """

    def __init__(self, dataset: BaseDataset) -> None:
        self.dataset = dataset
        self._settings = ''
        self._outputs: list[tuple[str, str]] = []
        self._mask_dirs: list[str] = []

    def expect(
        self,
        settings: str,
        outputs: Sequence[tuple[str, str]],
        mask_dirs: Sequence[str],
    ) -> None:
        """Say what is to be made; without it, no picture is finished.

        Args:
            settings (str): Hash of weights and settings.
            outputs (Sequence[tuple[str, str]]): Folder of label maps and
                field of the prediction, for each kind of them.
            mask_dirs (Sequence[str]): Folders of mask files that are read.
        """
        self._settings = settings
        self._outputs = list(outputs)
        self._mask_dirs = list(mask_dirs)

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.dataset)

    def __getattr__(self, name: str) -> Any:
        """Return the data set's own attributes, such as ``metainfo``."""
        if name in ('dataset', '__setstate__'):  # while it is unpickled
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __getitem__(self, index: int) -> Any:
        """Return the packed picture, or a note that it is finished."""
        if not self._settings:
            return self.dataset[index]
        # Look for label maps made of the same files and settings
        record = self.dataset.get_data_info(index)
        name, made_of = image_name_of(record), self._digest(record)
        finished = all(
            read_label_png_made_of(
                os.path.join(folder, f'{name}.png'),
                digest_for_field(made_of, prediction),
            )
            is not None
            for folder, prediction in self._outputs
        )
        # Spare a finished picture the loader and the model
        if finished:
            return _pack_note(record, name, made_of)
        # Tell the writer of label maps what this one is made of
        packed = self.dataset[index]
        packed['data_samples'].set_metainfo({'made_of': made_of})
        return packed

    def _digest(self, record: Mapping[str, Any]) -> str:
        # Gather all that decides the prediction: labels, picture, masks
        name = image_name_of(record)
        labels = record.get('image_labels')
        masks = [
            os.path.join(folder, f'{name}.json') for folder in self._mask_dirs
        ]
        # Hash it together with the settings of the run
        return digest_of(
            [
                self._settings,
                None if labels is None else np.asarray(labels).tolist(),
                [
                    digest_of_file(file)
                    for file in [record['img_path'], *masks]
                ],
            ]
        )


def _pack_note(
    record: Mapping[str, Any], name: str, made_of: str
) -> dict[str, Any]:
    sample = SegDataSample()
    sample.set_metainfo(
        {
            'img_path': record['img_path'],
            'image_name': name,
            'made_of': made_of,
            'finished': True,
        }
    )
    return {'inputs': torch.zeros(3, 1, 1), 'data_samples': sample}
