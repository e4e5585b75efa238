# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Class names as data sets write them, and as CLIP is asked for them."""

from dataclasses import dataclass, field

from ..utils import UserInputError
from ..utils.limits import MAX_CLASSES
from ..utils.palette_png import voc_palette

__all__ = [
    'ClassPrompts',
    'is_background',
    'plain_name',
]


def plain_name(name: str) -> str:
    """Write a name in lower case, with one space between its words.

    Example:
        >>> plain_name('Dining_Table ')
        'dining table'
    """
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
        palette (tuple[tuple[int, int, int], ...]): RGB of each label value,
            0..C, for label maps. By default PASCAL VOC's.

    Raises:
        UserInputError: If names are empty or repeated, if ``foreground`` does
            not match ``classes``, if a background names a class, if a class
            is called background, if there are more than 254 classes, or if
            ``palette`` is not one colour a label value.
    """

    classes: tuple[str, ...]
    foreground: tuple[str, ...]
    background: tuple[str, ...]
    # Colours change no prompt: they stay out of what names these.
    palette: tuple[tuple[int, int, int], ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        # Refuse names that are empty or there twice.
        for role in ('classes', 'foreground', 'background'):
            names = [plain_name(name) for name in getattr(self, role)]
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
        # See that each class has its prompt.
        if len(self.classes) != len(self.foreground):
            raise UserInputError(
                f'Expected one prompt name for each of {len(self.classes)} '
                f'classes, but got {len(self.foreground)}.'
            )
        # See that classes, backgrounds and colours fit together.
        self._check_classes()
        self._check_background()
        if not self.palette:
            colours = tuple(voc_palette(len(self.labels)))
            object.__setattr__(self, 'palette', colours)
        self._check_palette()

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
        # List all names and synonyms of the classes.
        owner = {plain_name(name): name for name in self.classes}
        for name, prompt in zip(self.classes, self.foreground, strict=True):
            for synonym in (prompt, *prompt.split(',')):
                owner[plain_name(synonym)] = name
        for name in self.background:
            if plain_name(name) in owner:
                raise UserInputError(
                    f'Expected backgrounds that name no class, but {name!r} '
                    f'names the class {owner[plain_name(name)]!r}. Delete it '
                    'from the backgrounds.'
                )

    def _check_palette(self) -> None:
        if len(self.palette) != len(self.labels) or not all(
            len(colour) == 3 and all(v in range(256) for v in colour)
            for colour in self.palette
        ):
            raise UserInputError(
                f'Expected a `palette` of {len(self.labels)} colours, the '
                f"background's and one for each of {len(self.classes)} "
                'classes, each [red, green, blue] in 0..255, but got '
                f'{self.palette!s:.200}.'
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the label values 0..C, 'background' first."""
        return ('background', *self.classes)
