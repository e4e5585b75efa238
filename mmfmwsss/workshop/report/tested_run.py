# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A run with its images and its model: where a sheet's label maps are from."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from mmengine.logging import print_log
from mmseg.structures import SegDataSample

from ...utils import UserInputError
from ...utils.palette_png import read_label_png
from ...visualization.seed_pictures import shown_routes
from .label_maps import ImageSet, Labels, open_image_set
from .run_folder import Result, RunFolder
from .run_model import RunModel

__all__ = ['TestedRun', 'open_tested_run']


@dataclass(frozen=True)
class TestedRun:
    """One run of a sheet.

    Attributes:
        run: The run.
        images: What it tested.
        model: Its model, if it could be loaded.
        shown: Label maps to show, the main one first.
        trouble: Why there is no model; empty if there is one.
    """

    __test__ = False  # no test, whatever pytest thinks of the name

    run: RunFolder
    images: ImageSet
    model: RunModel | None
    shown: Sequence[Result]
    trouble: str

    @property
    def main(self) -> Result:
        """Return the result that images are ranked by."""
        return self.shown[0]

    def predict(self, index: int) -> SegDataSample | None:
        """Predict an image, if there is a model and it can be read."""
        if self.model is None:
            return None
        sample = self.model.predict(self.images.dataset[index])
        return None if 'failure' in sample.metainfo else sample

    def label_map(
        self, result: Result, index: int, sample: SegDataSample | None
    ) -> Labels | None:
        """Read a label map as written or, if it was not, as predicted now."""
        # Read what the test wrote
        if result.label_dir is not None:
            path = result.label_dir / f'{self.images.names[index]}.png'
            return read_label_png(path) if path.is_file() else None
        # Take the prediction
        if sample is None or result.field not in sample:
            return None
        labels = sample.get(result.field).data[0].cpu().numpy()
        return np.asarray(labels, np.uint8)


def open_tested_run(run: RunFolder) -> TestedRun | None:
    """Open the images and the model of a run; None if it has no label maps.

    A model that cannot be loaded costs the CAMs, if label maps were written.

    Args:
        run (RunFolder): The run.

    Raises:
        UserInputError: If the images are not there, or neither label maps nor
            a model.
    """
    images = open_image_set(run)
    if images is None:
        return None
    # Open the model; a report on files does without it
    model, trouble = None, ''
    try:
        model = RunModel(run)
    except UserInputError as error:
        trouble = str(error)
    # Choose the results, and tell what the model lacks
    shown = _shown_results(run.results, model)
    if not shown:
        raise UserInputError(trouble)
    if trouble:
        print_log(trouble, logger='current', level=logging.WARNING)
    return TestedRun(run, images, model, shown, trouble)


def _shown_results(
    results: Sequence[Result], model: RunModel | None
) -> list[Result]:
    """Choose the written results or, without any, those to be predicted."""
    # Prefer what the test wrote
    written = [result for result in results if result.label_dir is not None]
    if written or model is None:
        return written
    # Predict the one result of a segmentation network
    if not model.has_cams:
        return list(results[:1])
    # Predict the coarse seed, too, to compare the routes
    first = results[0]
    routes = shown_routes(model.model, first.field)
    if not routes:
        return [first]
    return [
        replace(first, field=field, prefix=field) for field in reversed(routes)
    ]
