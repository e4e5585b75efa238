# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Paint the CAMs and seeds that the prompt model makes of one image."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmseg.structures import SegDataSample
from numpy.typing import NDArray

from ..models.segmentors import CLIPPromptSegmentor
from ..models.segmentors.seed_route import SeedRoute
from ..utils.photos import read_rgb
from .painting import overlay_cam, paint_labels

__all__ = ['cam_panels', 'predict_seeds', 'seed_panels', 'shown_routes']

Image = NDArray[np.uint8]  # RGB, (H, W, 3)
Panel = tuple[str, Image]  # heading and picture

_COARSE_SEED = 'coarse_seed'


def _all_routes(model: CLIPPromptSegmentor) -> dict[str, SeedRoute]:
    """Return the model's routes, with the one of the coarse seeds."""
    routes = dict(model.routes)
    if model.training_route is not None:
        routes.setdefault(_COARSE_SEED, model.training_route)
    return routes


def shown_routes(
    model: CLIPPromptSegmentor, main: str | None = None
) -> list[str]:
    """Name the coarse route, if there is one, and the main route.

    Args:
        model (CLIPPromptSegmentor): With its routes.
        main (str, optional): A route instead of the model's main one.

    Returns:
        list[str]: Coarse first. Empty for a model without routes.
    """
    main = main if main in model.routes else model.main_route
    if main is None:
        return []
    has_coarse = _COARSE_SEED in _all_routes(model) and main != _COARSE_SEED
    return [_COARSE_SEED, main] if has_coarse else [main]


@torch.no_grad()
def predict_seeds(
    model: CLIPPromptSegmentor, packed: Mapping[str, Any]
) -> SegDataSample:
    """Predict one image by every route, coarse seed included, with CAMs.

    The model is left in the mode (training or not) in which it was.

    Args:
        model (CLIPPromptSegmentor): On any device.
        packed (Mapping): ``inputs`` and ``data_samples`` of one image, as the
            data set of a test run gives them.

    Returns:
        SegDataSample: A field a route, ``<route>_cams`` beside it. Without
        them if the image could not be read (``failure`` in the metainfo).
    """
    # Predict without dropout, and restore the mode afterwards
    training = model.training
    model.eval()
    try:
        batch = model.data_preprocessor(
            {key: [packed[key]] for key in ('inputs', 'data_samples')}
        )
        return model.predict(
            batch['inputs'],
            batch['data_samples'],
            routes=_all_routes(model),
            keep_cams=True,
        )[0]
    finally:
        model.train(training)


def cam_panels(
    image: Image,
    sample: SegDataSample,
    route: str,
    classes: Sequence[str],
) -> list[Panel]:
    """Paint the CAM of each present class.

    Args:
        image (ndarray): RGB, uint8, (H, W, 3).
        sample (SegDataSample): From :func:`predict_seeds`.
        route (str): Whose CAMs.
        classes (Sequence[str]): Names of the labels, background first.

    Returns:
        list[tuple[str, ndarray]]: Name of the class and picture, P of them.
    """
    present = sample.image_labels.nonzero()[:, 0].tolist()
    cams = sample.get(f'{route}_cams').data.float().cpu().numpy()
    return [
        (classes[label + 1], overlay_cam(image, cam))
        for label, cam in zip(present, cams, strict=True)
    ]


def seed_panels(
    sample: SegDataSample,
    routes: Sequence[str],
    classes: Sequence[str],
    palette: Sequence[Sequence[int]],
) -> list[Panel]:
    """Collect the image, the CAM of each class, and the seeds.

    Args:
        sample (SegDataSample): From :func:`predict_seeds`.
        routes (Sequence[str]): Whose seeds to paint, in this order.
        classes (Sequence[str]): Names of the labels, background first.
        palette (Sequence): RGB of each label.

    Returns:
        list[tuple[str, ndarray]]: Headings and pictures.
    """
    # Show the image and the CAM of each present class
    image = read_rgb(sample.img_path)
    panels = [('image', image)]
    for name, picture in cam_panels(image, sample, routes[-1], classes):
        panels.append((f'CAM {name}', picture))
    # Show the seed of each route
    for route in routes:
        labels = sample.get(route).data[0].cpu().numpy()
        picture = paint_labels(image, labels, palette, borders=True)
        panels.append((route.replace('_', ' '), picture))
    return panels
