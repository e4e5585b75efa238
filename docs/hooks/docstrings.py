# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Docstrings, which are written for Sphinx, as Markdown for the site."""

import re

from griffe import Extension, GriffeLoader, Module, Object

ROLE = re.compile(r':\w+:`~?\.*([\w.]+)`')
LINK = re.compile(r'`([^`<]+?)\s+<(https?://[^>\s]+)>`_')
CODE = re.compile(r'^ *\.\. code-block:: \w+\n|(?<=\w:):$', re.M)
TABLE = re.compile(r'^(=+)( +)=+\n(.*?)^=+ +=+$', re.M | re.S)


def as_markdown(text: str) -> str:
    """Turn roles, links, blocks and tables of Sphinx into Markdown.

    Example:
        >>> as_markdown('See :func:`~.pooling.mask_sums`, ``S`` masks.')
        'See `mask_sums`, ``S`` masks.'
        >>> as_markdown('Of `CLIP-ES <https://a.org/1>`_.')
        'Of [CLIP-ES](https://a.org/1).'
    """
    text = ROLE.sub(lambda role: f'`{role[1].split(".")[-1]}`', text)
    text = CODE.sub('', LINK.sub(r'[\1](\2)', text))
    return TABLE.sub(
        lambda table: as_list(table[3], len(table[1] + table[2])), text
    )


def as_list(rows: str, width: int) -> str:
    r"""Write the rows of a table of two columns as a list.

    Args:
        rows (str): Lines between the rules.
        width (int): Of the first column; a line without it goes on.

    Example:
        >>> as_list('a  one\n   two\nbc three\n', 3)
        '- a: one two\n- bc: three\n'
    """
    entries: list[str] = []
    for row in rows.splitlines():
        name, text = row[:width].strip(), row[width:].strip()
        if name:
            entries.append(f'- {name}: {text}')
        else:
            entries[-1] += f' {text}'
    return '\n'.join(entries) + '\n'


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
