# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Panels of one image: which, in which order, and of what."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from PIL import Image
from torch import nn

import mmfmwsss  # noqa: F401  readies mmcv
from mmfmwsss.utils.palette_png import voc_palette
from mmfmwsss.visualization.painting import overlay_cam, paint_labels
from mmfmwsss.visualization.seed_pictures import (
    cam_panels,
    predict_seeds,
    seed_panels,
    shown_routes,
)

CLASSES = ['background', 'cat', 'dog', 'sea']


class Model(nn.Module):
    """A model of named routes, which notes how it is asked."""

    def __init__(
        self, routes: str, main: str | None, training_route: object = None
    ) -> None:
        super().__init__()
        self.routes: dict[str, object] = {name: object() for name in routes}
        self.main_route, self.training_route = main, training_route
        self.data_preprocessor = lambda batch: batch
        self.asked: dict[str, Any] = {}

    def predict(
        self, inputs: Any, data_samples: Any, **asked: Any
    ) -> list[Any]:
        if inputs == ['broken']:
            raise RuntimeError('broken')
        self.asked = dict(asked, training=self.training, inputs=inputs)
        return data_samples


@pytest.mark.parametrize(
    ('routes', 'main', 'trains', 'chosen', 'expected'),
    [
        ('ab', 'b', False, None, ['b']),
        ('ab', 'b', False, 'a', ['a']),
        ('ab', 'b', False, 'unknown', ['b']),
        ('ab', 'b', True, None, ['coarse_seed', 'b']),
        ('', None, True, None, []),
        ('', None, False, None, []),
    ],
)
def test_routes(
    routes: str,
    main: str | None,
    trains: bool,
    chosen: str | None,
    expected: list[str],
) -> None:
    model: Any = Model(routes, main, object() if trains else None)
    assert shown_routes(model, chosen) == expected


def test_the_coarse_route_is_shown_once() -> None:
    model: Any = Model('a', 'coarse_seed')
    model.routes['coarse_seed'] = object()
    assert shown_routes(model) == ['coarse_seed']


@pytest.mark.parametrize('training', [True, False])
def test_the_mode_is_left_as_it_was(training: bool) -> None:
    coarse = object()
    model: Any = Model('a', 'a', coarse).train(training)
    found = predict_seeds(model, dict(inputs='image', data_samples='sample'))
    assert found == 'sample'
    assert model.asked == dict(
        training=False,
        inputs=['image'],
        keep_cams=True,
        routes={**model.routes, 'coarse_seed': coarse},
    )
    assert model.training is training
    assert set(model.routes) == {'a'}
    with pytest.raises(RuntimeError, match='broken'):
        predict_seeds(model, dict(inputs='broken', data_samples=''))
    assert model.training is training


@pytest.fixture
def case(tmp_path: Path) -> tuple[np.ndarray, SegDataSample]:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (8, 10, 3), np.uint8)
    path = tmp_path / 'a.png'
    Image.fromarray(image).save(path)
    sample = SegDataSample(metainfo=dict(img_path=str(path)))
    sample.image_labels = torch.tensor([True, False, True])
    for route in ('coarse_seed', 'fine_seed'):
        cams = torch.from_numpy(rng.normal(size=(2, 8, 10)))
        labels = torch.from_numpy(rng.choice([0, 1, 3], (1, 8, 10)))
        sample.set_field(PixelData(data=cams), f'{route}_cams')
        sample.set_field(PixelData(data=labels), route)
    return image, sample


def test_cams_have_the_names_of_the_present_classes(
    case: tuple[np.ndarray, SegDataSample],
) -> None:
    image, sample = case
    panels = cam_panels(image, sample, 'coarse_seed', CLASSES)
    assert [name for name, _ in panels] == ['cat', 'sea']
    cams = sample.coarse_seed_cams.data.float().numpy()
    for (_, picture), cam in zip(panels, cams, strict=True):
        np.testing.assert_array_equal(picture, overlay_cam(image, cam))


def test_image_then_cams_then_seeds(
    case: tuple[np.ndarray, SegDataSample],
) -> None:
    image, sample = case
    routes, palette = ['coarse_seed', 'fine_seed'], voc_palette()
    titles, pictures = zip(
        *seed_panels(sample, routes, CLASSES, palette), strict=True
    )
    assert titles == ('image', 'CAM cat', 'CAM sea', 'coarse seed',
                      'fine seed')  # fmt: skip
    np.testing.assert_array_equal(pictures[0], image)
    # The CAMs are those of the last route, which is the finest
    cam = sample.fine_seed_cams.data[1].float().numpy()
    np.testing.assert_array_equal(pictures[2], overlay_cam(image, cam))
    for route, picture in zip(routes, pictures[3:], strict=True):
        labels = sample.get(route).data[0].numpy()
        expected = paint_labels(image, labels, palette, borders=True)
        np.testing.assert_array_equal(picture, expected)
