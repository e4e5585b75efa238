# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Labels of maps that are no class: 0 is the background, 255 is ignored."""

__all__ = ['IGNORE_LABEL']

IGNORE_LABEL = 255  # counts in no loss and in no score, and is not painted
