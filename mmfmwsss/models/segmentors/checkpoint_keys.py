# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Checkpoints of a wrapper that read like those of what it wraps."""

from functools import partial
from typing import Any

from torch import nn

__all__ = ['keep_plain_keys']


def keep_plain_keys(wrapper: nn.Module, child: str) -> None:
    """Leave the name of a child out of all keys of the state dict.

    The wrapper must have no parameters but the child's. It then loads
    checkpoints of the plain child, and of itself, and saves such ones, by
    torch's functions and by mmengine's.

    Args:
        wrapper (nn.Module): Gets two hooks.
        child (str): Name of the attribute.
    """
    inner = f'{child}.'
    wrapper._register_load_state_dict_pre_hook(partial(_add_prefix, inner))
    wrapper._register_state_dict_hook(partial(_remove_prefix, inner))


def _add_prefix(
    child: str, state: dict[str, Any], prefix: str, *_: Any
) -> None:
    """Read the keys of a plain segmentor as those of the inner one."""
    # Rename the weights of this module
    inner = prefix + child
    for key in list(state):
        if key.startswith(prefix) and not key.startswith(inner):
            state[inner + key[len(prefix) :]] = state.pop(key)
    # Modules find their version there, by name
    versions = getattr(state, '_metadata', None) or {}
    for name in list(versions):
        longer = (inner + name[len(prefix) :]).rstrip('.')
        versions.setdefault(longer, versions[name])


def _remove_prefix(
    child: str, module: nn.Module, state: dict[str, Any], prefix: str, *_: Any
) -> dict[str, Any]:
    """Name the parameters as the plain segmentor does."""
    # Rename the weights of this module
    inner = prefix + child
    for key in list(state):
        if key.startswith(inner):
            state[prefix + key[len(inner) :]] = state.pop(key)
    # Rename the versions of its parts as well
    versions = getattr(state, '_metadata', None) or {}
    for name in list(versions):
        if f'{name}.'.startswith(inner):
            plain = (prefix + name[len(inner) :]).rstrip('.')
            versions[plain] = versions.pop(name)
    return state
