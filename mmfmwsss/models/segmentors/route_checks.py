# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Checks of the routes in the config of a prompt model."""

from collections.abc import Collection, Mapping
from typing import Any

from ...utils import UserInputError
from .seed_route import SeedRoute

__all__ = ['check_routes', 'choose_main_route']


def choose_main_route(
    name: str | None, routes: Mapping[str, Any]
) -> str | None:
    """Choose the route that is named or the only one; None if there is none.

    Args:
        name (str, optional): As configured.
        routes (Mapping): All routes by name.

    Raises:
        UserInputError: If there are several, and none of that name.

    Example:
        >>> choose_main_route(None, dict(fine_seed=1))
        'fine_seed'
        >>> choose_main_route('b', dict(a=1, b=2))
        'b'
    """
    if name is None and len(routes) < 2:
        return next(iter(routes), None)
    if name not in routes:
        raise UserInputError(
            f'Expected `main_route` to name one of the routes {sorted(routes)}'
            f', but got {name!r}. Add it to the model of the config, e.g. '
            f'main_route={min(routes, default="fine_seed")!r}: its seed is '
            '`pred_sem_seg`.'
        )
    return name


def check_routes(
    routes: Mapping[str, SeedRoute],
    training_route: SeedRoute | None,
    streams: Collection[str],
) -> None:
    """Refuse routes of no known stream, and masks that do not follow crops.

    Args:
        routes (Mapping): Routes of the prediction by name.
        training_route (SeedRoute, optional): Route of the coarse seeds.
        streams (Collection[str]): Names of the model's streams.

    Raises:
        ValueError: If a route's stream is none of ``streams``, or the
            training route has a ``mask_dir``.
    """
    # Refuse masks that would not follow the training crops
    named = dict(routes)
    if training_route is not None:
        named['training_route'] = training_route
        if training_route.mask_loader is not None:
            raise ValueError(
                'Expected `training_route` without `mask_dir`: its masks '
                'follow the crops, so the training pipeline loads them. '
                "Set it there: dict(type='LoadSAMMasks', mask_dir=...)."
            )
    # Refuse a stream that the model has not
    for name, route in named.items():
        if route.stream not in streams:
            raise ValueError(
                f'Expected the stream of {name!r} to be one of '
                f'{sorted(streams)}, but got {route.stream!r}.'
            )
