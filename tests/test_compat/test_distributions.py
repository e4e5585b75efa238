# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What is installed, and under which name."""

import importlib.util
from importlib import metadata
from types import SimpleNamespace

import pytest

from mmfmwsss.compat import check_distributions, distributions

ONEDL = {
    'onedl-mmengine': '0.10.12',
    'onedl_mmcv': '2.3.6',
    'onedl-mmsegmentation': '1.4.2',
    'onedl-mmdetection': '3.5.1',
    'onedl-mmpretrain': '1.3.6',
}
OPENMMLAB = {
    'mmengine': '0.10.7',
    'mmcv-lite': '2.1.0',
    'mmsegmentation': '1.2.2',
    'mmdet': '3.3.0',
    'mmpretrain': '1.2.0',
}


@pytest.fixture
def installed(monkeypatch):
    """Pretend that exactly these distributions are installed."""

    def pretend(versions, importable=('pkg_resources',)):
        monkeypatch.setattr(
            metadata,
            'distributions',
            lambda: [
                SimpleNamespace(name=name, version=version)
                for name, version in versions
            ],
        )
        monkeypatch.setattr(
            importlib.util,
            'find_spec',
            lambda name: object() if name in importable else None,
        )

    return pretend


def test_this_environment_is_fine():
    check_distributions()


@pytest.mark.parametrize('world', [ONEDL, OPENMMLAB])
def test_each_world_is_fine(installed, world):
    others = [('mmfmwsss', '0.1.0'), ('torch', '2.14.1'), (None, '')]
    installed([*others, *world.items()])
    check_distributions()


@pytest.mark.parametrize('second', ['mmcv', 'mmcv-full', 'onedl-mmcv'])
def test_two_owners_of_mmcv(installed, second):
    installed([*OPENMMLAB.items(), (second, '2.2.0')])
    with pytest.raises(RuntimeError, match='mmcv-lite') as error:
        check_distributions()
    message = str(error.value)
    assert f'`{second}`' in message
    both = ' '.join(sorted(['mmcv-lite', second]))
    assert f'pip uninstall -y {both}' in message


@pytest.mark.parametrize(
    ('package', 'original', 'continuation'),
    [
        ('mmengine', 'mmengine', 'onedl-mmengine'),
        ('mmseg', 'mmsegmentation', 'onedl-mmsegmentation'),
        ('mmdet', 'mmdet', 'onedl-mmdetection'),
        ('mmpretrain', 'mmpretrain', 'onedl-mmpretrain'),
        ('mmcv', 'mmcv', 'onedl-mmcv-cu128-torch2-8'),
    ],
)
def test_both_worlds_at_once(installed, package, original, continuation):
    needed = [
        (name, version)
        for name, version in ONEDL.items()
        if not name.replace('_', '-').startswith(continuation[:10])
    ]
    installed(
        [(original, '1.0'), (continuation, '1.0'), *needed],
        importable=('pkg_resources', 'mmengine', 'mmcv', 'mmseg'),
    )
    with pytest.raises(RuntimeError, match=f'package `{package}`') as error:
        check_distributions()
    assert f'`{original}` and `{continuation}`' in str(error.value)


def test_one_distribution_seen_twice_is_one_owner(installed):
    installed([*ONEDL.items(), ('onedl-mmcv', '2.3.5')])
    check_distributions()


def test_missing_package(installed):
    installed([('onedl-mmengine', '0.10.12'), ('onedl-mmcv', '2.3.6')])
    with pytest.raises(RuntimeError, match=r'`mmseg`.*mminstall\.txt'):
        check_distributions()


def test_package_from_a_source_tree_is_not_missing(installed):
    installed(
        [('onedl-mmengine', '0.10.12'), ('onedl-mmcv', '2.3.6')],
        importable=('mmseg',),
    )
    check_distributions()


def test_pkg_resources_is_named_when_mmengine_needs_it(installed):
    installed(OPENMMLAB.items(), importable=())
    with pytest.raises(RuntimeError, match="pip install 'setuptools<81'"):
        check_distributions()


@pytest.mark.parametrize('version', ['0.10.8', '0.11.0rc1', '1.0'])
def test_later_mmengine_does_not_need_it(installed, version):
    installed({**OPENMMLAB, 'mmengine': version}.items(), importable=())
    check_distributions()


@pytest.mark.parametrize(
    ('version', 'fine'),
    [('2.24.0', False), ('2.31.0', False), ('2.32.0', True), ('3.3.0', True)],
)
def test_an_old_open_clip_is_named(monkeypatch, version, fine):
    monkeypatch.setattr(distributions.metadata, 'version', lambda _: version)
    if fine:
        distributions._check_open_clip()
        return
    with pytest.raises(RuntimeError, match=f'but {version} is installed'):
        distributions._check_open_clip()
