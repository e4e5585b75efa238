# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Samplers."""

from .reproducible_sampler import Draw, ReproducibleSampler

__all__ = ['Draw', 'ReproducibleSampler']
