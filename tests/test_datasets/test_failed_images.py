# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pipelines in a notebook, where no runner has set a scope."""

from collections import OrderedDict

import pytest
from mmengine.registry import DefaultScope
from mmseg.registry import DATASETS
from PIL import Image

import mmfmwsss  # noqa: F401  readies mmcv

PROMPTS = {'classes': ['cat'], 'background': ['wall']}


@pytest.fixture
def root(tmp_path):
    (tmp_path / 'images' / 'kitchen').mkdir(parents=True)
    Image.new('RGB', (9, 6)).save(tmp_path / 'images' / 'kitchen' / 'a.jpg')
    return tmp_path


def _build(root, kind, pack='PackWSSSInputs', **kwargs):
    settings = {
        'type': kind,
        'class_prompts': PROMPTS,
        'data_root': str(root),
        'image_dir': 'images',
        'test_mode': True,
        'pipeline': [
            {'type': 'LoadImageStrict'},
            {'type': 'Resize', 'scale': (18, 12)},
            {'type': pack},
        ],
    }
    return DATASETS.build({**settings, **kwargs})


@pytest.mark.parametrize('scope', [None, 'mmseg'])
@pytest.mark.parametrize(
    ('kind', 'more'),
    [
        ('ImageLabelDataset', {}),
        ('GroundTruthDataset', {'ground_truth_dir': None}),
    ],
)
def test_transforms_are_found_without_a_runner(
    root, monkeypatch, scope, kind, more
):
    monkeypatch.setattr(DefaultScope, '_instance_dict', OrderedDict())
    if scope is not None:
        DefaultScope.get_instance('mine', scope_name=scope)
    dataset = _build(root, kind, **more)
    assert dataset[0]['inputs'].shape == (3, 12, 18)
    after = DefaultScope.get_current_instance()
    assert (after and after.scope_name) == scope


def test_packing_of_mmseg_keeps_the_name(root):
    for pack in ('PackSegInputs', 'PackWSSSInputs'):
        dataset = _build(root, 'ImageLabelDataset', pack)
        assert dataset[0]['data_samples'].image_name == 'kitchen/a'
    assert len(_build(root, 'ImageLabelDataset', pipeline=[])) == 1
