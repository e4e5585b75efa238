# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Hooks."""

from .progress_bar_hook import ProgressBarHook

__all__ = ['ProgressBarHook']
