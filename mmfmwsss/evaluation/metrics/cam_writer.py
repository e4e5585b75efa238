# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Write the CAMs of a run, one file an image."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmseg.registry import METRICS
from numpy.typing import NDArray

from ...utils import UserInputError, atomic_path
from ...utils.image_names import image_name_of

__all__ = ['CAMWriter', 'write_cams']


def write_cams(
    path: str | os.PathLike[str],
    cams: NDArray[np.floating],
    classes: Sequence[int],
) -> None:
    """Write CAMs as a dict of class and map, ``--format npy`` of the tools.

    Args:
        path (str | PathLike): The ``.npy`` to write; its folder is made.
        cams (ndarray): Signed maps, (P, H, W).
        classes (Sequence[int]): 0-based foreground indices, P of them.
    """
    maps = {
        int(label): np.asarray(cam, np.float32)
        for label, cam in zip(classes, cams, strict=True)
    }
    with atomic_path(path) as temporary, temporary.open('wb') as file:
        np.save(file, np.array(maps, object), allow_pickle=True)


@METRICS.register_module()
class CAMWriter(BaseMetric):
    """Write the CAMs that a route's seeder reads, ``<image name>.npy``.

    The model has to keep them: ``model.test_cfg = dict(keep_cams=True)``;
    ``tools/test.py --save-cams`` sets both. No picture of such a run is
    skipped. The metric is ``cams``, the number of files.

    Args:
        output_dir (str | PathLike): Folder of the files.
        prediction (str): The route.
        **kwargs: Those of mmengine's ``BaseMetric``.
    """

    def __init__(
        self,
        output_dir: str | os.PathLike[str],
        prediction: str = 'fine_seed',
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.output_dir = Path(output_dir)
        self.prediction = prediction

    def process(
        self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]
    ) -> None:
        """Write the CAMs of a batch.

        Raises:
            UserInputError: If the model keeps no CAMs.
        """
        for sample in data_samples:
            if sample.get('failure'):  # the metric of the seeds lists it
                # Processes join their results one by one: none may be left out
                self.results.append('')
                continue
            field = f'{self.prediction}_cams'
            if field not in sample:
                raise UserInputError(
                    f'Expected the CAMs of {self.prediction!r}, but the model '
                    'keeps none. Set model.test_cfg.keep_cams=True, for a '
                    'model with prompts and a route of this name.'
                )
            cams = sample[field]['data'].float().cpu().numpy()
            present = sample['image_labels'].nonzero()[:, 0].tolist()
            name = image_name_of(sample)
            write_cams(self.output_dir / f'{name}.npy', cams, present)
            self.results.append(name)

    def compute_metrics(self, results: list[str]) -> dict[str, int]:
        """Count the files."""
        return dict(cams=sum(map(bool, results)))
