# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Look up the class prompts of known data sets, or read a user's own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import ConfigDict

from ..utils import UserInputError
from ..utils.errors import nearby_files
from ..utils.files import ASSET_SCHEME, resolve_path
from ..utils.text_files import read_json, read_yaml
from .class_names import (
    CLIP_ES_PROMPTS,
    COCO14,
    COCO14_BACKGROUND,
    COCO14_PROMPTS,
    VOC12,
    VOC12_BACKGROUND,
)
from .class_prompts import ClassPrompts

__all__ = ['CLASS_PROMPTS', 'get_class_prompts']

_SUFFIXES = ('.yaml', '.yml', '.json')
_EXAMPLE = (
    ' For example, a line each: `classes: [cat, dog]`, '
    '`background: [sofa, field]`.'
)


def _replace(names: Sequence[str], changes: Mapping[str, str]) -> Any:
    return tuple(changes.get(name, name) for name in names)


def get_class_prompts(
    source: str | Mapping[str, Any] | ClassPrompts,
) -> ClassPrompts:
    """Look class names up, or read a user's own.

    A dict, or a YAML or JSON file that holds one, has ``classes`` and
    ``background``, and ``palette`` if label maps are to have other colours
    than PASCAL VOC's. ``classes`` is a list of names, or maps each name to
    what the prompt says: nothing (the name itself), a string, or a list of
    synonyms that are added to the name::

        classes:
          cat: [kitten]
          mug: coffee mug
          dog:
        background: [table, floor, wall]

    Args:
        source (str | dict | ClassPrompts): Name in ``CLASS_PROMPTS``, path of
            a file, or the names.

    Returns:
        ClassPrompts: The names.

    Raises:
        UserInputError: If there is no such name or file, or its content is
            not as above.
    """
    if isinstance(source, ClassPrompts):
        return source
    if isinstance(source, Mapping):
        return _from_mapping(source, 'the class prompts')
    if source in CLASS_PROMPTS:
        return CLASS_PROMPTS[source]
    # Read a user's own file.
    path = Path(source).expanduser()
    if path.suffix not in _SUFFIXES:
        raise UserInputError(
            f'Expected class prompts called one of {sorted(CLASS_PROMPTS)}, '
            f'or a YAML or JSON file, but got {source!r}.'
        )
    if not path.is_file():
        raise UserInputError(
            f'Expected the names of the classes in {source}, but there is no '
            f'such file.{nearby_files(path)}{_EXAMPLE}'
        )
    try:
        content = (read_json if path.suffix == '.json' else read_yaml)(path)
    except UserInputError as error:
        raise UserInputError(f'Could not read {path}: {error}') from error
    return _from_mapping(content, str(path))


def _from_mapping(content: Any, where: str) -> ClassPrompts:
    # See that nothing is missing and nothing is unknown.
    keys = {'classes', 'background'}
    if not isinstance(content, Mapping) or set(content) - {'palette'} != keys:
        found = list(content) if isinstance(content, Mapping) else content
        raise UserInputError(
            f'Expected `classes` and `background` in {where}, and no more '
            f'than a `palette` besides, but got {found!s:.200}.{_EXAMPLE}'
        )
    classes = content['classes']
    if not isinstance(classes, (list, tuple, Mapping)):
        raise UserInputError(
            f'Expected a list or a mapping as `classes` in {where}, but got '
            f'{classes!r:.200}.{_EXAMPLE}'
        )
    # Refuse an order that mmengine would not keep.
    if isinstance(classes, ConfigDict) and list(classes) != sorted(classes):
        raise UserInputError(
            f'Expected `classes` in a config as a list of names, or as a '
            f'mapping in the order of the alphabet, but got {list(classes)}: '
            'a config that is written to a file sorts its keys, and the '
            'classes would change their numbers. Sort them, or put them into '
            "a YAML file and its path here: class_prompts='classes.yaml'."
        )
    names = _names(list(classes), 'classes', where)
    return ClassPrompts(
        classes=tuple(names),
        foreground=tuple(_prompt_of(name, classes, where) for name in names),
        background=tuple(_names(content['background'], 'background', where)),
        palette=_colours(content.get('palette') or (), where),
    )


def _prompt_of(name: str, classes: Any, where: str) -> str:
    """Find what the prompt says for a class: name, words or synonyms."""
    wording = classes[name] if isinstance(classes, Mapping) else name
    # Join the name and its synonyms.
    if isinstance(wording, (list, tuple)):
        wording = ','.join([name, *_names(wording, name, where)])
    (prompt,) = _names([wording or name], name, where)
    return prompt


def _colours(values: Any, where: str) -> tuple[tuple[int, int, int], ...]:
    if not isinstance(values, (list, tuple)) or not all(
        isinstance(colour, (list, tuple)) for colour in values
    ):
        raise UserInputError(
            f'Expected a list of [red, green, blue] as `palette` in {where}, '
            f'but got {values!s:.200}.'
        )
    return tuple(tuple(colour) for colour in values)


def _names(values: Any, role: str, where: str) -> list[str]:
    # YAML reads an unquoted `no` or `on` as a truth value.
    if not isinstance(values, (list, tuple)) or not all(
        isinstance(value, str) for value in values
    ):
        raise UserInputError(
            f'Expected a list of strings as `{role}` in {where}, but got '
            f'{values!s:.200}. Put names that look like numbers or like yes '
            'and no in quotes.'
        )
    return list(values)


def _read_asset(name: str) -> ClassPrompts:
    path = resolve_path(ASSET_SCHEME + name, 'Install the package again.')
    return _from_mapping(read_yaml(path), str(path))


CLASS_PROMPTS: dict[str, ClassPrompts] = {
    'voc12': ClassPrompts(
        VOC12, _replace(VOC12, CLIP_ES_PROMPTS), VOC12_BACKGROUND
    ),
    'coco14': ClassPrompts(
        COCO14, _replace(COCO14, COCO14_PROMPTS), COCO14_BACKGROUND
    ),
    # FMA-WSSS's code asks CLIP for a 'sknowboard'; for its numbers only.
    'coco14_official': ClassPrompts(
        COCO14,
        _replace(COCO14, {**COCO14_PROMPTS, 'snowboard': 'sknowboard'}),
        COCO14_BACKGROUND,
    ),
    'partworld': _read_asset('partworld.yaml'),
    'animals': _read_asset('voc_animals/classes.yaml'),
}
