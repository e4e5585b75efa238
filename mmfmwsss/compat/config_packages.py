# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Configs of this package by name: ``mmfmwsss::fmwsss/voc_prompt.py``."""

from mmengine.config.utils import MODULE2PACKAGE

__all__ = ['name_own_configs']

_NAME = 'mmfmwsss'


def name_own_configs() -> None:
    """Let mmengine take configs of this package as bases, as it does mmseg's.

    It knows the packages of OpenMMLab by a table only. The configs lie in
    ``mmfmwsss/.mim``; parts of them are built in the scope that
    ``mmfmwsss.registry`` gives them.
    """
    MODULE2PACKAGE.setdefault(_NAME, _NAME)
