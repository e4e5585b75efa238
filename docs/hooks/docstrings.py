# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Docstrings, which are written for Sphinx, as Markdown for the site."""

import re

from griffe import Extension, GriffeLoader, Module, Object

ROLE = re.compile(r':\w+:`~?\.*([\w.]+)`')
LINK = re.compile(r'`([^`<]+?)\s+<(https?://[^>\s]+)>`_')


def as_markdown(text: str) -> str:
    """Turn roles into code, and links of Sphinx into those of Markdown.

    Example:
        >>> as_markdown('See :func:`~.pooling.mask_sums`, ``S`` masks.')
        'See `mask_sums`, ``S`` masks.'
        >>> as_markdown('Of `CLIP-ES <https://a.org/1>`_.')
        'Of [CLIP-ES](https://a.org/1).'
    """
    text = ROLE.sub(lambda role: f'`{role[1].split(".")[-1]}`', text)
    return LINK.sub(r'[\1](\2)', text)


class MarkdownDocstrings(Extension):
    """Rewrite every docstring of a package once it is read."""

    def on_package(
        self, *, pkg: Module, loader: GriffeLoader, **kwargs: object
    ) -> None:
        """Walk through the package."""
        rewrite(pkg)


def rewrite(item: Object) -> None:
    """Rewrite the docstring of an object and of all that it defines."""
    if item.docstring:
        item.docstring.value = as_markdown(item.docstring.value)
    for member in item.members.values():
        if isinstance(member, Object):
            rewrite(member)
