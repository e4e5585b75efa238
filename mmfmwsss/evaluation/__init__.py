# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Score seeds, segmentors and classification prompts."""

from .metrics import SAMMaskReport, SeedMetric

__all__ = ['SAMMaskReport', 'SeedMetric']
