# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Parts of the runner."""

from .hooks import ProgressBarHook

__all__ = ['ProgressBarHook']
