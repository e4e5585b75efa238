# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Some of a data set's classes, or other names for them, as in mmseg."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..structures.class_prompts import is_background
from ..utils import UserInputError
from ..utils.labels import IGNORE_LABEL

__all__ = ['ClassSelection', 'kept_classes', 'select_classes']


class ClassSelection(NamedTuple):
    """The classes that a data set shows.

    Attributes:
        metainfo (dict): With ``classes`` and ``palette``.
        label_map (dict, optional): New number of each label, 255 for those
            that are left out; None: all labels stay.
    """

    metainfo: dict[str, Any]
    label_map: dict[int, int] | None


def select_classes(
    labels: Sequence[str],
    palette: Sequence[Sequence[int]],
    metainfo: Mapping[str, Any] | None,
) -> ClassSelection:
    """Select the classes that a user's ``metainfo`` names.

    Some of the labels get the numbers of their order, and the others are
    ignored; as many other names rename the labels.

    Args:
        labels (Sequence[str]): Names of the label values in the files.
        palette (Sequence): RGB of each of them.
        metainfo (dict, optional): With ``classes``, a ``palette`` for all of
            the labels or for those that are named, or anything else.

    Returns:
        ClassSelection: What the data set shows.

    Raises:
        UserInputError: If the names are neither some of the labels nor one
            for each of them.

    Example:
        >>> colours = [[0, 0, 0], [9, 0, 0], [0, 9, 0]]
        >>> chosen = dict(classes=['background', 'dog'])
        >>> select_classes(['background', 'cat', 'dog'], colours, chosen)[1]
        {0: 0, 1: 255, 2: 1}
    """
    # Take all labels if no other names are given
    content: dict[str, Any] = dict(
        classes=tuple(labels), palette=list(palette)
    )
    content.update(metainfo or {})
    names = content['classes']
    if list(names) == list(labels):
        return ClassSelection(content, None)
    # Rename the labels, if these are no names of theirs
    _check_names(names, labels)
    if not set(names) <= set(labels):
        return ClassSelection(content, None)
    # Number the named ones in their order, and ignore the others
    order = list(names)
    label_map = {
        old: order.index(name) if name in order else IGNORE_LABEL
        for old, name in enumerate(labels)
    }
    colours = content['palette']
    if len(colours) == len(labels):
        content['palette'] = [colours[list(labels).index(n)] for n in order]
    return ClassSelection(content, label_map)


def kept_classes(
    label_map: Mapping[int, int] | None, classes: Sequence[str]
) -> tuple[str, ...]:
    """List the foreground classes that a label map keeps, in its order.

    Args:
        label_map (dict, optional): From :func:`select_classes`.
        classes (Sequence[str]): Foreground names of labels 1..C.

    Returns:
        tuple[str, ...]: Their names in the files, in the new order.

    Raises:
        UserInputError: If the background is not label 0, as in seeds.
    """
    if label_map is None:
        return tuple(classes)
    if label_map[0] != 0:
        raise UserInputError(
            "Expected metainfo['classes'] to begin with 'background', which "
            'is label 0 of the seeds. Put it in front of the other names.'
        )
    kept = {
        new: classes[old - 1]
        for old, new in label_map.items()
        if old and new != IGNORE_LABEL
    }
    return tuple(kept[new] for new in sorted(kept))


def _check_names(names: Any, labels: Sequence[str]) -> None:
    """Refuse names that neither choose nor rename labels."""
    # Refuse what is no list of different names
    if isinstance(names, str) or len(set(names)) != len(names):
        raise UserInputError(
            "Expected a list of different names in metainfo['classes'], some "
            f'of {list(labels)!s:.300}, but got {names!s:.200}.'
        )
    unknown = [name for name in names if name not in labels]
    if not unknown and names:
        return
    # Ask for as many names, if any is new
    if len(names) != len(labels):
        raise UserInputError(
            "Expected metainfo['classes'] to name some of the classes "
            f'{list(labels)!s:.300}, or to rename all {len(labels)} of them, '
            f'but got {len(names)} names, {names!s:.200}. Correct '
            f'{(unknown or [""])[0]!r}, or change `class_prompts`.'
        )
    # See that label 0 alone is the background
    wanted = [is_background(name) for name in labels]
    if [is_background(name) for name in names] != wanted:
        raise UserInputError(
            "Expected new names in metainfo['classes'] to begin with "
            f"'background' and to have it once, as {list(labels)!s:.300} do, "
            f'but got {names!s:.200}. Leave it out: `class_prompts` has the '
            'names.'
        )
