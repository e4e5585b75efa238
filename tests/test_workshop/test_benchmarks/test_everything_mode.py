# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The benchmark of the everything mode compares like with like."""

import numpy as np
import torch

from mmfmwsss.workshop.benchmarks import Settings
from mmfmwsss.workshop.benchmarks.everything_mode import (
    compare_everything_modes,
    share_equal,
)
from mmfmwsss.workshop.benchmarks.seeders import discs


def test_share_of_equal_masks():
    masks = discs((75, 100)).filter(torch.arange(4))
    theirs = masks.masks.numpy().copy()
    assert share_equal(masks, theirs) == 1
    theirs[0] = False
    theirs[0, :5, :5] = True
    assert share_equal(masks, theirs) == 0.75
    empty = masks.filter(torch.arange(2))
    empty.masks = torch.zeros_like(empty.masks)
    assert share_equal(empty, theirs) == 0
    assert share_equal(empty, empty.masks.numpy()) == 1
    none = masks.filter(torch.arange(0))
    assert share_equal(none, theirs) == 0
    assert share_equal(none, np.zeros((0, 2, 2))) == 1


def test_the_tiny_sam_has_the_masks_of_segment_anything():
    (row,) = compare_everything_modes(Settings(quick=True))
    assert list(row.times) == ['ours', 'segment_anything']
    assert int(row.equality.split('share of ')[1].split()[0]) > 3
    assert row.times['ours'].repeats == 2
