# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Class by class, the maps are those that are made at once."""

import pytest
import torch
import torch.nn.functional as F

from mmfmwsss.workshop.benchmarks import Settings
from mmfmwsss.workshop.benchmarks.class_maps import (
    ClassByClass,
    GradCAMPackage,
    compare_class_maps,
    our_maps,
)
from mmfmwsss.workshop.benchmarks.comparison import relative_difference
from mmfmwsss.workshop.tiny_models import random_clip


def test_each_number_of_classes_has_its_row():
    rows = list(compare_class_maps(Settings(quick=True)))
    assert [row.case[-9:] for row in rows] == [
        '1 classes', '2 classes', '4 classes',
    ]  # fmt: skip
    assert all(next(iter(row.times)) == 'ours' for row in rows)


@pytest.mark.parametrize('name', ['blocks', 'package'])
def test_maps_are_the_same(name):
    if name == 'package':
        pytest.importorskip('pytorch_grad_cam')
    clip = random_clip()
    image = torch.randn(1, 3, 32, 40, generator=torch.manual_seed(3))
    text = F.normalize(torch.randn(7, 16), dim=1)
    labels = torch.tensor([[True, False, True, False]])
    ours = our_maps(clip, image, text, labels)
    way = dict(blocks=ClassByClass, package=GradCAMPackage)[name]
    assert relative_difference(ours, way(clip, text, labels)(image)) < 1e-4
