# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Samplers."""

from .reproducible_sampler import ReproducibleSampler

__all__ = ['ReproducibleSampler']
