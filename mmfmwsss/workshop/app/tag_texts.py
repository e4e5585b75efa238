# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What people type and what their files are called, made harmless."""

import re
import unicodedata
from collections.abc import Collection
from pathlib import PurePosixPath

from ...structures.class_prompts import is_background
from ...utils import UserInputError

__all__ = ['parse_tags', 'safe_photo_name']

_LONGEST_TAG = 60  # letters
_LONGEST_NAME = 80
# Cells of a table of labels that are flags, not names.
_FLAGS = ('1', '0', '1.0', '0.0', 'true', 'false', 'yes', 'no')
# The head of the table of labels.
_HEADS = ('tags',)


def parse_tags(text: str) -> tuple[str, ...]:
    """Read tags as they are typed: by commas, small letters, each once.

    Args:
        text (str): For example ``'cat, tea cup'``.

    Returns:
        tuple[str, ...]: Possibly none.

    Raises:
        UserInputError: If a tag is too long, has letters other than those of
            words, is called background, or would be read as a number.

    Example:
        >>> parse_tags(' Cat,tea_cup ,, cat')
        ('cat', 'tea cup')
    """
    # Split at commas and lines, and bring all to one spelling
    parts = re.split(r'[,;\n]', unicodedata.normalize('NFC', text).lower())
    words = [' '.join(part.replace('_', ' ').split()) for part in parts]
    tags = [word for word in dict.fromkeys(words) if word]
    # Refuse what a table of labels could not hold
    for tag in tags:
        _check_tag(tag)
    return tuple(tags)


def _check_tag(tag: str) -> None:
    if len(tag) > _LONGEST_TAG or not re.fullmatch(r"[\w][\w '&().+-]*", tag):
        raise UserInputError(
            f'Expected tags of letters, digits and spaces, {_LONGEST_TAG} '
            f'letters at most, but got {tag[:_LONGEST_TAG]!r}. Separate tags '
            'by commas: cat, tea cup'
        )
    if is_background(tag) or tag in (*_FLAGS, *_HEADS):
        raise UserInputError(
            f'Expected tags that name a thing, but got {tag!r}. What has no '
            'tag is background already.'
        )


def safe_photo_name(given: str, taken: Collection[str], suffix: str) -> str:
    """Name a photo after its file, in letters that every system takes.

    Args:
        given (str): Name of a file, from anywhere.
        taken (Collection[str]): Names that are there, of which none may
            differ in nothing but the suffix.
        suffix (str): Of the new name, ``'.jpg'``.

    Returns:
        str: Without folders, never hidden, never one of ``taken``.

    Example:
        >>> safe_photo_name('../../my <cat>.webp', ['my_cat.png'], '.jpg')
        'my_cat_2.jpg'
    """
    # Keep letters and digits of the last part
    last = re.split(r'[\\/]', unicodedata.normalize('NFC', given))[-1]
    stem = PurePosixPath(last).stem if '.' in last[1:] else last
    stem = re.sub(r'[^\w-]+', '_', stem)
    stem = re.sub(r'__+', '_', stem).strip('_-')[:_LONGEST_NAME] or 'photo'
    # Count up until nothing else has the name
    used = {PurePosixPath(name).stem.lower() for name in taken}
    name, number = stem, 1
    while name.lower() in used:
        number += 1
        name = f'{stem}_{number}'
    return name + suffix
