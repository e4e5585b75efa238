# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The benchmark of stage 2 compares like with like."""

import torch

from mmfmwsss.workshop.benchmarks import Settings
from mmfmwsss.workshop.benchmarks.network import (
    compare_networks,
    loop_refinement,
)


def test_both_are_timed():
    (row,) = compare_networks(Settings(quick=True))
    assert row.equality.startswith('labels of SAMS and a loop')
    assert list(row.times) == ['network with SAMS', 'network alone']


def test_a_loop_by_hand():
    probabilities = torch.tensor([[[0.9, 0.1, 0.6]], [[0.1, 0.9, 0.4]]])
    masks = torch.tensor([[[True, True, False]], [[False, True, False]]])
    labels = loop_refinement(probabilities, masks, torch.tensor([2, 0]))
    # the whole, a tie that background wins, lies on the sub-part
    assert labels.tolist() == [[0, 0, 0]]
    labels = loop_refinement(probabilities, masks, torch.tensor([0, 2]))
    assert labels.tolist() == [[0, 1, 0]]
