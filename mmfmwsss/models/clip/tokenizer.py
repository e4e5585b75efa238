# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""CLIP's byte-pair encoder, and names as it should read them."""

from functools import cache

from open_clip.tokenizer import SimpleTokenizer

__all__ = ['get_tokenizer', 'spoken']


@cache
def get_tokenizer() -> SimpleTokenizer:
    """Return CLIP's byte-pair encoder, read from disk once."""
    return SimpleTokenizer()


def spoken(name: str) -> str:
    """Write a class name as words: underscores are spaces.

    Example:
        >>> spoken('dining_table')
        'dining table'
    """
    return name.replace('_', ' ')
