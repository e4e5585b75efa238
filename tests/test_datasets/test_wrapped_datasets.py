# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Data sets are found inside of wrappers, as settings and built."""

from types import SimpleNamespace as Stub

from mmengine.config import Config

from mmfmwsss.datasets.wrapped_datasets import (
    inner_datasets,
    inner_settings,
    mixes_pictures,
)


def test_settings_are_those_of_the_config() -> None:
    one, two, three = (dict(type=name) for name in 'ABC')
    config = Config(
        dict(
            dataset=dict(
                type='RepeatDataset',
                times=2,
                dataset=dict(type='ConcatDataset', datasets=[one, two]),
            ),
            plain=three,
        )
    )
    for settings in inner_settings(config.dataset):
        settings.pipeline = []
    assert config.dataset.dataset.datasets == [
        dict(one, pipeline=[]),
        dict(two, pipeline=[]),
    ]
    assert list(inner_settings(config.plain)) == [three]
    assert list(inner_settings({})) == [{}]


def test_built_data_sets() -> None:
    one, two = Stub(pipeline='a'), Stub(pipeline='b')
    both = Stub(datasets=[Stub(dataset=one), two])
    assert list(inner_datasets(both)) == [one, two]
    assert list(inner_datasets(one)) == [one]


def test_a_wrapper_with_transforms_of_its_own_mixes() -> None:
    plain = Stub(pipeline='a')
    mosaic = Stub(dataset=Stub(datasets=[plain]), pipeline=['mosaic'])
    assert mixes_pictures(mosaic)
    assert mixes_pictures(Stub(dataset=mosaic))
    assert not mixes_pictures(mosaic.dataset)
    assert not mixes_pictures(plain)
