# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The comment at the head of a config, as an entry of the page of configs."""

import re
from collections.abc import Container
from pathlib import Path
from typing import NamedTuple

FIELDS = ('Needs', 'Run', 'Cost')
FIELD = re.compile(rf'({"|".join(FIELDS)}): *')


class Head(NamedTuple):
    """Hold the comment of a config by its parts.

    Attributes:
        purpose (str): What is before the first field, lines joined.
        fields (dict): Lines of ``Needs``, ``Run`` and ``Cost``, those there.
    """

    purpose: str
    fields: dict[str, list[str]]


def read_head(text: str) -> Head:
    """Split the comment that a config begins with.

    Raises:
        ValueError: If the config has no purpose at its head.
    """
    lines: list[str] = []
    for line in text.splitlines():
        if not line.startswith('#'):
            break
        lines.append(line.removeprefix('#').removeprefix(' '))

    purpose: list[str] = []
    fields: dict[str, list[str]] = {}
    target = purpose
    for line in lines:
        field = FIELD.match(line)
        if field:
            target = fields.setdefault(field[1], [])
            line = line[field.end() :]
        elif target is not purpose and not line.startswith(' '):
            break  # a comment on the first lines of the config
        target.append(line.rstrip() if target is purpose else line.strip())
    if not any(purpose):
        raise ValueError(
            'expected a comment with the purpose at the head of a config, '
            f'got {text[:60]!r}. Begin it with "# Learn ... on ...".'
        )
    return Head(_paragraphs(purpose), fields)


def _paragraphs(lines: list[str]) -> str:
    """Join lines; indented ones, which are a table, stay as they are."""
    parts: list[str] = []
    verbatim = False
    for line in lines:
        indented = line.startswith('  ')
        if indented and not verbatim:
            parts.append('\n\n```text\n')
        if verbatim and not indented:
            parts.append('```\n\n')
        verbatim = indented
        parts.append(f'{line}\n' if indented else f'{line} ')
    if verbatim:
        parts.append('```\n')
    return ''.join(parts).strip()


def entry(path: Path, known: Container[str] = ()) -> str:
    """Write a config's name, purpose, needs, cost and commands.

    Args:
        path (Path): The config.
        known (Container): Names of configs that have entries, to link to.
    """
    head = read_head(path.read_text(encoding='utf-8'))
    parts = [
        f'### {path.stem} {{ #{path.stem} }}',
        linked(head.purpose, known),
    ]
    for name in ('Needs', 'Cost'):
        if name in head.fields:
            text = linked(' '.join(head.fields[name]), known)
            parts.append(f'**{name}:** {text}')
    if 'Run' in head.fields:
        commands = _commands(head.fields['Run'])
        parts.append(f'```bash\n{commands}\n```')
    return '\n\n'.join(parts) + '\n'


def linked(text: str, known: Container[str]) -> str:
    r"""Link the pages and configs that a text names.

    Example:
        >>> linked('as a.py and docs/faq.md, not b_*.py', {'a'})
        'as [a.py](#a) and [faq.md](faq.md), not b_\\*.py'
    """
    text = text.replace('*', r'\*')
    text = re.sub(r'\bdocs/([\w/]+\.md)', r'[\1](\1)', text)
    return re.sub(
        r'(?<![\w/])(\w+)\.py\b',
        lambda name: (
            f'[{name[0]}](#{name[1]})' if name[1] in known else name[0]
        ),
        text,
    )


def _commands(lines: list[str]) -> str:
    """Indent continued lines, make remarks in brackets comments."""
    written: list[str] = []
    for number, line in enumerate(lines):
        if number and lines[number - 1].endswith('\\'):
            line = f'    {line}'
        if line.startswith('(') or (written and _in_remark(written)):
            line = f'# {line}'
        written.append(line)
    return '\n'.join(written)


def _in_remark(written: list[str]) -> bool:
    """Tell that a bracket was opened in a comment and is still open."""
    remark = ''.join(line for line in written if line.startswith('#'))
    return remark.count('(') > remark.count(')')


def table(paths: list[Path]) -> str:
    """List configs with the first sentence of their purpose."""
    rows = ['| config | purpose |', '|---|---|']
    for path in paths:
        purpose = read_head(path.read_text(encoding='utf-8')).purpose
        sentence = re.split(r'[.;](?:\s|$)', purpose, maxsplit=1)[0]
        first = sentence.replace('\n', ' ').replace('|', r'\|')
        rows.append(f'| [`{path.name}`](#{path.stem}) | {first} |')
    return '\n'.join(rows) + '\n'


def pages_part(folder: Path, pattern: str) -> str:
    """Write the table and the entries of the configs that a pattern names."""
    paths = sorted(folder.glob(pattern))
    known = {path.stem for path in folder.rglob('*.py')}
    return '\n'.join([table(paths), *(entry(path, known) for path in paths)])
