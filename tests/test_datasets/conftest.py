# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pipelines find mmseg's transforms only in its scope, as under a runner."""

import pytest
from mmengine.registry import init_default_scope

import mmfmwsss  # noqa: F401  readies mmcv


@pytest.fixture(autouse=True)
def mmseg_scope():
    init_default_scope('mmseg')
