# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Find the data sets that read files inside of RepeatDataset and others."""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ['inner_datasets', 'inner_settings', 'mixes_pictures']


def inner_settings(settings: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the settings of the data sets inside of wrappers.

    Args:
        settings (Mapping): Of a data set, or of a wrapper in the manner of
            ``RepeatDataset`` (``dataset``) or ``ConcatDataset``
            (``datasets``), also inside each other.

    Yields:
        Mapping: The very settings, so that a change changes the config; those
        given where nothing is wrapped.

    Example:
        >>> once, other = dict(type='A'), dict(type='B')
        >>> twice = dict(type='RepeatDataset', times=2, dataset=once)
        >>> both = dict(type='ConcatDataset', datasets=[twice, other])
        >>> list(inner_settings(both))
        [{'type': 'A'}, {'type': 'B'}]
    """
    inner = settings.get('datasets') or settings.get('dataset')
    if inner is None:
        yield settings
        return
    for each in inner if isinstance(inner, list | tuple) else [inner]:
        yield from inner_settings(each)


def inner_datasets(dataset: Any) -> Iterator[Any]:
    """Yield the built data sets inside of wrappers, or the one given."""
    parts = _parts(dataset)
    if not parts:
        yield dataset
    for part in parts:
        yield from inner_datasets(part)


def mixes_pictures(dataset: Any) -> bool:
    """Tell if a wrapper makes pictures of several, as mosaics are made."""
    parts = _parts(dataset)
    own_pipeline = bool(parts) and hasattr(dataset, 'pipeline')
    return own_pipeline or any(map(mixes_pictures, parts))


def _parts(dataset: Any) -> list[Any]:
    inner = getattr(dataset, 'dataset', None)
    several = getattr(dataset, 'datasets', ())
    return [part for part in (inner, *several) if part is not None]
