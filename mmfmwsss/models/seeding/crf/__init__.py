# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeding: the dense CRF, its mean field and its permutohedral lattice."""

from .dense_crf import DenseCRF, pydensecrf_posterior, wrapped_bgr
from .mean_field import (
    CRFKernels,
    dense_crf_posterior,
    gaussian_filter,
    unary_energy,
)
from .permutohedral import PermutohedralLattice

__all__ = [
    'CRFKernels',
    'DenseCRF',
    'PermutohedralLattice',
    'dense_crf_posterior',
    'gaussian_filter',
    'pydensecrf_posterior',
    'unary_energy',
    'wrapped_bgr',
]
