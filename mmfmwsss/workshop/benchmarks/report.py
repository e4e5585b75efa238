# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Write the results of the comparisons as a page in markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from .timing import as_table, format_seconds

__all__ = ['report', 'summary_table']

Results = Mapping[str, Mapping[str, Any]]


def report(results: Results) -> str:
    """Write a summary, a table a comparison, and the machine.

    Args:
        results (Mapping): What :func:`measure` returned, by letter.

    Returns:
        str: Markdown.
    """
    parts = ['# Benchmarks', summary_table(results)]
    machine: Mapping[str, Any] = {}
    for letter, found in sorted(results.items()):
        machine = found.get('machine') or machine
        parts.append(f'## ({letter}) {found["title"]}')
        if found['state'] != 'measured':
            parts.append(f'{found["state"]}.')
        if found.get('table'):
            parts.append(str(found['table']))
        if found.get('seconds'):
            parts.append(f'Took {format_seconds(found["seconds"])}.')
    parts.append('## Machine')
    parts.append('\n'.join(f'- {k}: {v}' for k, v in machine.items()))
    return '\n\n'.join(part for part in parts if part) + '\n'


def summary_table(results: Results) -> str:
    """Write a line for each case and way, all numbers of threads in it.

    Args:
        results (Mapping): As for :func:`report`.

    Returns:
        str: Markdown; empty without rows.
    """
    # Gather the numbers of threads of a case, which two letters may share
    cases: dict[tuple[str, str], dict[int, Mapping[str, Any]]] = {}
    for letter, found in sorted(results.items()):
        for row in _rows(found):
            same = cases.setdefault((letter, row['case']), {})
            same[row['threads']] = row
    counts = sorted({count for same in cases.values() for count in same})
    # Write a line for each way
    lines = []
    for (_, case), same in cases.items():
        first = next(iter(same.values()))
        for way in first['times']:
            lines.append([case, way, *_cells(same, counts, way)])
    if not lines:
        return ''
    heads = [f'{_threads(n)}: {what}' for n in counts for what in _COLUMNS]
    return as_table(['case', 'way', *heads], lines)


_COLUMNS = ('time', 'over ours', 'system', 'MiB')


def _rows(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """List the rows that have times."""
    return [row for row in found.get('rows', []) if row['times']]


def _cells(
    rows: Mapping[int, Mapping[str, Any]], counts: Sequence[int], way: str
) -> list[str]:
    """Write what one way took with each number of threads."""
    cells = []
    for count in counts:
        row = rows.get(count)
        if row is None:
            cells += [''] * len(_COLUMNS)
            continue
        time = row['times'][way]
        ratio = row['ratios'].get(way)
        share = time['system'] / time['cpu'] if time['cpu'] else 0.0
        cells += [format_seconds(time['wall'])]
        cells += ['' if ratio is None else f'{ratio:.2f}']
        cells += [f'{share:.0%}', f'{time["peak_mb"]:.0f}']
    return cells


def _threads(count: int) -> str:
    return '1 thread' if count == 1 else f'{count} threads'
