# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Evaluation: what the seeds and the segmentor are worth."""

from .metrics import SAMMaskReport, SeedMetric

__all__ = ['SAMMaskReport', 'SeedMetric']
