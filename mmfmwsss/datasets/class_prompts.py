# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Class names as data sets write them, and as CLIP is asked for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import ConfigDict

from ..utils import UserInputError
from ..utils.errors import nearby_files
from ..utils.limits import MAX_CLASSES
from ..utils.text_files import read_json, read_yaml
from ..workshop import partworld
from .class_names import (
    CLIP_ES_PROMPTS,
    COCO14,
    COCO14_BACKGROUND,
    COCO14_PROMPTS,
    VOC12,
    VOC12_BACKGROUND,
)

__all__ = [
    'CLASS_PROMPTS',
    'ClassPrompts',
    'get_class_prompts',
    'is_background',
]


def _normalise(name: str) -> str:
    return ' '.join(name.lower().replace('_', ' ').split())


def is_background(name: str) -> bool:
    """Tell whether a class name stands for the background of label maps.

    However it is spelt: ``Background``, ``__background__``, ``back-ground``.
    """
    letters = ''.join(letter for letter in name.lower() if letter.isalpha())
    return letters in ('background', 'backgrounds', 'bg', 'thebackground')


@dataclass(frozen=True)
class ClassPrompts:
    """The classes of a data set and the names put into prompts.

    Args:
        classes (tuple[str, ...]): Foreground names as the label files write
            them, C of them, without 'background'.
        foreground (tuple[str, ...]): Name of each class in its prompt, in the
            same order; synonyms are parts of the one string, by comma.
        background (tuple[str, ...]): Things that are no class but are seen in
            the pictures, one prompt each.

    Raises:
        UserInputError: If names are empty or repeated, if ``foreground`` does
            not match ``classes``, if a background names a class, if a class
            is called background, or if there are more than 254 classes.
    """

    classes: tuple[str, ...]
    foreground: tuple[str, ...]
    background: tuple[str, ...]

    def __post_init__(self) -> None:
        for role in ('classes', 'foreground', 'background'):
            names = [_normalise(name) for name in getattr(self, role)]
            if not names or not all(names):
                raise UserInputError(
                    f'Expected one name or more in `{role}` and none of them '
                    f'empty, but got {getattr(self, role)}.'
                )
            repeated = sorted({n for n in names if names.count(n) > 1})
            if repeated:
                raise UserInputError(
                    f'Expected every name in `{role}` once, but got '
                    f'{repeated[0]!r} more than once. Delete one of them.'
                )
        if len(self.classes) != len(self.foreground):
            raise UserInputError(
                f'Expected one prompt name for each of {len(self.classes)} '
                f'classes, but got {len(self.foreground)}.'
            )
        self._check_classes()
        self._check_background()

    def _check_classes(self) -> None:
        if len(self.classes) > MAX_CLASSES:
            raise UserInputError(
                f'Expected at most {MAX_CLASSES} classes, for label maps have '
                f'8 bits (0 background, 255 ignored), but got '
                f'{len(self.classes)}. Train groups of classes one by one, or '
                'join classes.'
            )
        for name, prompt in zip(self.classes, self.foreground, strict=True):
            for wording in (name, *prompt.split(',')):
                if is_background(wording):
                    raise UserInputError(
                        f'Expected classes without the background, but got '
                        f'{wording!r}. Label 0 is the background of itself: '
                        f'delete {name!r} from `classes`, and things that are '
                        'no class go into `background`, by their names.'
                    )

    def _check_background(self) -> None:
        owner = {_normalise(name): name for name in self.classes}
        for name, prompt in zip(self.classes, self.foreground, strict=True):
            for synonym in (prompt, *prompt.split(',')):
                owner[_normalise(synonym)] = name
        for name in self.background:
            if _normalise(name) in owner:
                raise UserInputError(
                    f'Expected backgrounds that name no class, but {name!r} '
                    f'names the class {owner[_normalise(name)]!r}. Delete it '
                    'from the backgrounds.'
                )

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the label values 0..C, 'background' first."""
        return ('background', *self.classes)

    def checked_metainfo(
        self, metainfo: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """A user's ``metainfo`` of a data set with these classes.

        Raises:
            UserInputError: If its ``classes`` are not one name a label.
        """
        content = dict(metainfo or {})
        names = content.get('classes', self.labels)
        if isinstance(names, str) or len(names) != len(self.labels):
            raise UserInputError(
                f"Expected {len(self.labels)} names in metainfo['classes'], "
                f'the background and {len(self.classes)} classes, but got '
                f'{names!s:.200}. Leave it out, or change `class_prompts`.'
            )
        again = [name for name in names[1:] if is_background(name)]
        if again or not is_background(names[0]):
            raise UserInputError(
                "Expected metainfo['classes'] to begin with 'background' and "
                f'to have it once, but got {names!s:.200}. Leave it out: '
                '`class_prompts` has the names.'
            )
        return content


def _replace(names: Sequence[str], changes: Mapping[str, str]) -> Any:
    return tuple(changes.get(name, name) for name in names)


_PARTWORLD = tuple(thing.name for thing in partworld.CLASSES)

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
    'partworld': ClassPrompts(
        _PARTWORLD, _PARTWORLD, tuple(partworld.BACKGROUNDS)
    ),
}


def get_class_prompts(
    source: str | Mapping[str, Any] | ClassPrompts,
) -> ClassPrompts:
    """Look class names up, or read a user's own.

    A dict, or a YAML or JSON file that holds one, has ``classes`` and
    ``background``. ``classes`` is a list of names, or maps each name to what
    the prompt says: nothing (the name itself), a string, or a list of
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
    path = Path(source).expanduser()
    if path.suffix not in ('.yaml', '.yml', '.json') or not path.is_file():
        raise UserInputError(
            f'Expected class prompts called one of {sorted(CLASS_PROMPTS)}, '
            f'or an existing YAML or JSON file, but got {source!r}.'
            f'{nearby_files(path)}'
        )
    try:
        content = (read_json if path.suffix == '.json' else read_yaml)(path)
    except UserInputError as error:
        raise UserInputError(f'Could not read {path}: {error}') from error
    return _from_mapping(content, str(path))


def _from_mapping(content: Any, where: str) -> ClassPrompts:
    keys = {'classes', 'background'}
    if not isinstance(content, Mapping) or set(content) != keys:
        found = list(content) if isinstance(content, Mapping) else content
        raise UserInputError(
            f'Expected `classes` and `background` in {where}, but got '
            f'{found!s:.200}.'
        )
    classes = content['classes']
    if not isinstance(classes, (list, tuple, Mapping)):
        raise UserInputError(
            f'Expected a list or a mapping as `classes` in {where}: '
            f'{classes!s:.200}'
        )
    if isinstance(classes, ConfigDict) and list(classes) != sorted(classes):
        raise UserInputError(
            f'Expected `classes` in a config as a list of names, or as a '
            f'mapping in the order of the alphabet, but got {list(classes)}: '
            'a config that is written to a file sorts its keys, and the '
            'classes would change their numbers. Sort them, or put them into '
            "a YAML file and its path here: class_prompts='classes.yaml'."
        )
    names = _names(list(classes), 'classes', where)
    prompts = []
    for name in names:
        wording = classes[name] if isinstance(classes, Mapping) else name
        if isinstance(wording, (list, tuple)):
            wording = ','.join([name, *_names(wording, name, where)])
        prompts.extend(_names([wording or name], name, where))
    return ClassPrompts(
        classes=tuple(names),
        foreground=tuple(prompts),
        background=tuple(_names(content['background'], 'background', where)),
    )


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
