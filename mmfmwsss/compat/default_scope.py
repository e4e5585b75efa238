# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Names of mmseg are found in a notebook, where no runner says so."""

from mmengine.registry import DefaultScope

__all__ = ['set_default_scope']

_SCOPE = 'mmseg'


def set_default_scope() -> None:
    """Let mmengine look names up in mmseg, unless another scope is set.

    Pipelines and data preprocessors are built from mmengine's own registry,
    which sees those of mmseg, and so ours, only by the default scope. A
    runner, an inferencer or ``init_default_scope`` sets its own afterwards.
    """
    if DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance(_SCOPE, scope_name=_SCOPE)
