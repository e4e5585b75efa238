# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Let the class names of a data set say how many outputs a network has."""

from typing import Any

from mmengine.config import Config

from ..datasets import get_class_prompts
from ..utils import UserInputError

__all__ = ['fill_num_classes']

_AUTO = 'auto'


def fill_num_classes(config: Config) -> None:
    """Put the number of labels wherever a model says ``num_classes='auto'``.

    The names are those of ``class_prompts`` at the config's top level, and
    the background is a label. So own data needs its YAML file only.

    Args:
        config (Config): Changed in place. Nothing happens without 'auto'.

    Raises:
        UserInputError: If there are no ``class_prompts``, or they are wrong.
    """
    # Find who asks for the number of classes.
    heads = [
        part
        for part in _dicts(config.get('model'))
        if part.get('num_classes') == _AUTO
    ]
    if not heads:
        return
    if config.get('class_prompts') is None:
        raise UserInputError(
            f"The model has num_classes='{_AUTO}', which expects "
            '`class_prompts` at the top level of the config, but there are '
            "none. Add class_prompts='classes.yaml', or write the number."
        )
    # Count the labels, the background among them.
    count = len(get_class_prompts(config.class_prompts).labels)
    for head in heads:
        head['num_classes'] = count


def _dicts(value: Any) -> list[dict[str, Any]]:
    """List a dict and all dicts in it."""
    if isinstance(value, (list, tuple)):
        return [part for item in value for part in _dicts(item)]
    if not isinstance(value, dict):
        return []
    return [value, *_dicts(list(value.values()))]
