# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The lattice against the sum over all pairs of points."""

import pytest
import torch

from mmfmwsss.models.seeding.crf.permutohedral import PermutohedralLattice


@pytest.mark.parametrize(('dims', 'least'), [(1, 0.99), (2, 0.98), (5, 0.9)])
def test_close_to_brute_force(dims, least):
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(1500, dims, generator=generator) * 2
    values = torch.rand(1500, 2, generator=generator)
    kernel = torch.exp(-0.5 * torch.cdist(points, points) ** 2)
    exact = kernel @ values / kernel.sum(1, keepdim=True)
    lattice = PermutohedralLattice(points)
    ours = lattice.filter(values) / lattice.filter(torch.ones(1500, 1))
    both = torch.stack([exact.flatten(), ours.flatten()])
    assert torch.corrcoef(both)[0, 1] > least


def test_linear_and_local():
    points = torch.tensor([[0.0, 0.0], [0.1, 0.0], [40.0, -30.0]])
    lattice = PermutohedralLattice(points)
    one = lattice.filter(torch.tensor([[1.0], [0.0], [0.0]]))
    two = lattice.filter(torch.tensor([[0.0], [1.0], [2.0]]))
    both = lattice.filter(torch.tensor([[1.0], [1.0], [2.0]]))
    torch.testing.assert_close(one + two, both)
    assert one[1] > 0.4 and one[2] == 0


def test_too_many_cells():
    points = torch.tensor([[0.0] * 6, [1e6] * 6])
    with pytest.raises(ValueError, match='64-bit keys'):
        PermutohedralLattice(points)
