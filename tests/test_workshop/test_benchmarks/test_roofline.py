# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Arithmetic is counted, also that of oneDNN's linear layer."""

import torch

from mmfmwsss.models.clip.frozen_linear import frozen_linear
from mmfmwsss.workshop.benchmarks import Settings
from mmfmwsss.workshop.benchmarks.flops import count_flops
from mmfmwsss.workshop.benchmarks.roofline import compare_with_roofline


def test_a_linear_layer_is_counted_whoever_runs_it():
    x, weight = torch.ones(2, 5, 3), torch.ones(4, 3)
    expected = 2 * 2 * 5 * 3 * 4
    assert count_flops(lambda: frozen_linear(x, weight, None)) == expected
    linear = torch.nn.functional.linear
    assert count_flops(lambda: linear(x, weight)) == expected


def test_rates_are_given():
    rows = list(compare_with_roofline(Settings(quick=True)))
    assert len(rows) == 3
    assert all(row.notes['GFLOP counted'] >= 0 for row in rows)
    assert all(row.times['ours'].wall > 0 for row in rows)
