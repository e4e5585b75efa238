# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Let the class names of a data set say how many outputs a network has."""

from mmengine.config import Config

from ..models.segmentors.named_classes import fill_class_count

__all__ = ['fill_num_classes']


def fill_num_classes(config: Config) -> None:
    """Put the number of labels wherever a model says ``num_classes='auto'``.

    The names are those of ``class_prompts`` at the config's top level, or
    else of the model, and the background is a label. So own data needs its
    YAML file only, whatever the type of the network. The config that a run
    writes has the number.

    Args:
        config (Config): Changed in place. Nothing happens without 'auto'.

    Raises:
        UserInputError: If there are no ``class_prompts``, or they are wrong.
    """
    model = config.get('model')
    if model is not None:
        names = config.get('class_prompts') or model.get('class_prompts')
        config.model = fill_class_count(model, names)
