# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A network whose class names say how many outputs it has."""

from collections.abc import Mapping
from typing import Any

from mmseg.models.segmentors import EncoderDecoder
from mmseg.registry import MODELS

from ...structures.class_prompts import ClassPrompts
from ...structures.class_tables import get_class_prompts
from ...utils import UserInputError

__all__ = ['NamedClassesEncoderDecoder', 'fill_class_count']

_AUTO = 'auto'


@MODELS.register_module()
class NamedClassesEncoderDecoder(EncoderDecoder):
    """mmseg's ``EncoderDecoder``, with outputs counted by class names.

    Heads with ``num_classes='auto'`` get an output for each name and one for
    the background. So the config of own data can be built by whoever reads
    it, mmseg's ``init_model`` for one. All else is mmseg's own.

    Args:
        class_prompts (str | dict, optional): Names the classes, see
            :func:`get_class_prompts`. It is read only if a head says 'auto'.
        **kwargs: Of ``EncoderDecoder``.

    Raises:
        UserInputError: If a head says 'auto' and there are no such names.
    """

    def __init__(
        self,
        class_prompts: str | Mapping[str, Any] | ClassPrompts | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**fill_class_count(kwargs, class_prompts))


def fill_class_count(
    model: Any, class_prompts: str | Mapping[str, Any] | ClassPrompts | None
) -> Any:
    """Put the number of labels wherever a model says ``num_classes='auto'``.

    Args:
        model (Any): Config of a model or of its parts; not changed.
        class_prompts (str | dict, optional): Names the classes.

    Returns:
        Any: The same config, with numbers; without 'auto', the config itself.

    Raises:
        UserInputError: If there is 'auto', and no names or wrong ones.

    Example:
        >>> names = dict(classes=['cat', 'dog'], background=['wall'])
        >>> fill_class_count(dict(head=dict(num_classes='auto')), names)
        {'head': {'num_classes': 3}}
    """
    if not _asks(model):
        return model
    if class_prompts is None:
        raise UserInputError(
            f"The model has num_classes='{_AUTO}', which expects "
            '`class_prompts`, but there are none. Add them to the model and '
            "to the top level of the config, class_prompts='classes.yaml', "
            'or write the number.'
        )
    # Count the labels, the background among them
    try:
        count = len(get_class_prompts(class_prompts).labels)
    except UserInputError as error:
        raise UserInputError(
            f"num_classes='{_AUTO}' counts the names of `class_prompts`: "
            f'{error} Or take the config that the training has written to '
            'its work_dir, which has the number.'
        ) from error
    return _filled(model, count)


def _asks(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_asks, value))
    if not isinstance(value, dict):
        return False
    return value.get('num_classes') == _AUTO or any(map(_asks, value.values()))


def _filled(value: Any, count: int) -> Any:
    """Copy a config, with a number for each 'auto'."""
    if isinstance(value, (list, tuple)):
        return type(value)(_filled(item, count) for item in value)
    if not isinstance(value, dict):
        return value
    filled = type(value)((k, _filled(v, count)) for k, v in value.items())
    if filled.get('num_classes') == _AUTO:
        filled['num_classes'] = count
    return filled
