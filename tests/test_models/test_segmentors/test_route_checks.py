# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Routes that no model can take."""

import pytest

from mmfmwsss.models.segmentors.route_checks import (
    check_routes,
    choose_main_route,
)
from mmfmwsss.models.segmentors.seed_route import SeedRoute
from mmfmwsss.utils import UserInputError

ROUTES = dict(a=1, b=2)


@pytest.mark.parametrize(
    ('name', 'routes', 'chosen'),
    [(None, {}, None), (None, dict(a=1), 'a'), ('b', ROUTES, 'b')],
)
def test_the_main_route(name, routes, chosen):
    assert choose_main_route(name, routes) == chosen


@pytest.mark.parametrize(
    ('name', 'routes'), [(None, ROUTES), ('c', ROUTES), ('a', {})]
)
def test_no_main_route(name, routes):
    with pytest.raises(UserInputError, match=f'but got {name!r}'):
        choose_main_route(name, routes)


def test_a_stream_that_is_not_there():
    route = SeedRoute('segmentation', dict(type='ArgmaxSeeder'))
    check_routes(dict(a=route), route, ['segmentation'])
    with pytest.raises(ValueError, match="the stream of 'a'.*'segmentation'"):
        check_routes(dict(a=route), None, ['classification'])
    with pytest.raises(ValueError, match="stream of 'training_route'"):
        check_routes({}, route, ['classification'])


def test_masks_of_its_own_do_not_follow_crops(tmp_path):
    route = SeedRoute('s', dict(type='SAMS'), mask_dir=str(tmp_path))
    check_routes(dict(a=route), None, ['s'])
    with pytest.raises(ValueError, match='without `mask_dir`'):
        check_routes({}, route, ['s'])
