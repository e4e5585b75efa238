# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeding: Gaussian filtering in a permutohedral lattice, without a compiler.

The lattice of `Fast High-Dimensional Filtering Using the Permutohedral Lattice
<https://doi.org/10.1111/j.1467-8659.2009.01645.x>`_ (Adams et al., 2010).
"""

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ['PermutohedralLattice']


class PermutohedralLattice:
    """A sparse lattice that N points in D dimensions are filtered in.

    :meth:`filter` approximates ``K @ values`` with the kernel
    ``K[i, j] = exp(-|f_i - f_j|^2 / 2)`` in O(N D): values are spread onto the
    D + 1 corners of the simplex around each point, blurred with (1/2, 1, 1/2)
    along the D + 1 lattice directions and read back.

    Args:
        features (Tensor): Positions in units of the kernel's standard
            deviation, (N, D).

    Raises:
        ValueError: If the positions span too many cells for a 64-bit key.
    """

    def __init__(self, features: Tensor) -> None:
        # Find the corners around each point, and number each corner once
        points, dims = features.shape
        base, rank, weights = _enclosing_simplex(_elevate(features.float()))
        corners, steps = _corner_keys(base, rank)
        keys, corner_of = corners.flatten().unique(return_inverse=True)
        self._weights = weights  # (N, D + 1)
        self._corners = corner_of.view(points, dims + 1)
        # Link the corners along each direction of the lattice
        self._neighbours = [_neighbours(keys, int(step)) for step in steps]
        self._size = len(keys)
        # Entries grouped by corner, so that spreading is a sum over groups
        order = corner_of.argsort(stable=True)
        counts = torch.bincount(corner_of, minlength=self._size)
        self._sources = order // (dims + 1)
        self._source_weights = weights.flatten()[order]
        self._starts = counts.cumsum(0) - counts

    def __len__(self) -> int:
        """Count the lattice corners in use."""
        return self._size

    def filter(self, values: Tensor) -> Tensor:
        """Filter values that live on the points.

        Args:
            values (Tensor): Float32, (N, K).

        Returns:
            Tensor: (N, K).
        """
        # Spread the values onto the corners
        lattice = F.embedding_bag(
            self._sources,
            values.contiguous(),
            self._starts,
            mode='sum',
            per_sample_weights=self._source_weights,
        )
        # The last row stands for every corner that is not in use
        lattice = torch.cat([lattice, lattice.new_zeros(1, values.shape[1])])
        # Blur along one direction after the other
        for pairs in self._neighbours:
            around = F.embedding_bag(pairs, lattice, mode='sum')
            lattice[:-1].add_(around, alpha=0.5)
        # Read the values back at the points
        blurred = F.embedding_bag(
            self._corners,
            lattice,
            mode='sum',
            per_sample_weights=self._weights,
        )
        # Undo the gain of the blur
        dims = len(self._neighbours) - 1
        return blurred / (1 + 2.0**-dims)


def _elevate(features: Tensor) -> Tensor:
    """Lift positions to the plane of coordinates that sum to 0, (N, D + 1).

    Scaled so that the blur of the lattice has unit variance.
    """
    # Scale each axis by its length in that plane
    dims = features.shape[1]
    index = torch.arange(1, dims + 1, device=features.device)
    spread = (2 / 3) ** 0.5 * (dims + 1)
    scaled = features * (spread / (index * (index + 1)).float().sqrt())
    # Coordinate i: sum of the later ones, minus i times its own
    tail = scaled.flip(1).cumsum(1).flip(1)  # (N, D)
    elevated = torch.cat([tail, torch.zeros_like(tail[:, :1])], dim=1)
    elevated[:, 1:] -= index * scaled
    return elevated


def _enclosing_simplex(elevated: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Find the simplex around each point.

    Returns:
        tuple[Tensor, Tensor, Tensor]: Its corner with remainder 0, int64,
        (N, D + 1); the rank of each coordinate's distance to it, int64,
        (N, D + 1); barycentric weights of the corners, (N, D + 1).
    """
    # Round to the nearest corner, which may not sum to 0
    size = elevated.shape[1]
    nearest = (elevated / size).round()
    excess = nearest.sum(1, keepdim=True).long()
    distance = elevated - nearest * size
    # Rank 0 is the coordinate that lies furthest above its rounding
    rank = distance.argsort(dim=1, descending=True, stable=True).argsort(1)
    # Move on to a corner that does, and wrap the ranks with it
    rank = rank + excess
    over = (rank >= size).long() - (rank < 0).long()
    rank = rank - over * size
    base = (nearest.long() - over) * size
    # Differences of successive distances, in order of rank
    offset = (elevated - base) / size
    ordered = torch.empty_like(offset).scatter_(1, rank, offset)
    weights = torch.empty_like(offset)
    weights[:, 1:] = (ordered[:, :-1] - ordered[:, 1:]).flip(1)
    weights[:, 0] = 1 + ordered[:, -1] - ordered[:, 0]
    return base, rank, weights


def _corner_keys(base: Tensor, rank: Tensor) -> tuple[Tensor, Tensor]:
    """Number the corners of each simplex by one integer.

    Returns:
        tuple[Tensor, Tensor]: Keys, int64, (N, D + 1), and what one step
        along each of the D + 1 lattice directions adds to a key, (D + 1,).
    """
    size = base.shape[1]
    # Coordinates sum to 0, so that the last one need not be in the key
    low = base[:, :-1].amin(0) - 2 * size
    extent = base[:, :-1].amax(0) + 2 * size - low + 1
    strides = torch.ones_like(extent)
    strides[1:] = extent[:-1].cumprod(0)
    # Refuse more cells than a key can number
    if extent.double().prod() >= 2.0**62:
        raise ValueError(
            'features span too many lattice cells for 64-bit keys: '
            f'{extent.tolist()}. Use a wider kernel.'
        )
    # Number the corner with remainder 0
    origin = ((base[:, :-1] - low) * strides).sum(1)
    corners = torch.arange(size, device=base.device)
    # Corner k adds k to each coordinate, minus size to the k last-ranked
    wraps = rank[:, None, :-1] + corners[None, :, None] >= size  # (N, k, D)
    shift = corners * strides.sum() - size * (wraps * strides).sum(2)
    # One step takes 1 from each coordinate and adds size to one
    steps = -strides.sum() + size * F.pad(strides, (0, 1))
    return origin[:, None] + shift, steps


def _neighbours(keys: Tensor, step: int) -> Tensor:
    """Find the corners a step ahead and behind, (M, 2); M where none is."""
    count = len(keys)
    # Look for the corner ahead of each
    found = torch.searchsorted(keys, keys + step).clamp(max=count - 1)
    exists = keys[found] == keys + step
    missing = torch.full_like(found, count)
    after = torch.where(exists, found, missing)
    # Reverse these links
    before = missing.scatter(
        0, found[exists], torch.arange(count, device=keys.device)[exists]
    )
    return torch.stack([after, before], dim=1)
