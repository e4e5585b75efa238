# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""``docs/architecture.md`` against the code: files, functions, equations."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / 'mmfmwsss'
PAGE = (ROOT / 'docs' / 'architecture.md').read_text()
# `file.py`: `name`, `Class.method` (remark), `name`
NAMED = re.compile(r'`([\w/]+\.py)`: ((?:`[\w.]+`(?: \([^)]*\))?(?:, )?)+)')


def locate(name: str) -> Path:
    """Find a path of the page, below the package or the repository."""
    inside = PACKAGE / name
    return inside if inside.exists() else ROOT / name


def defined(path: Path) -> set[str]:
    """Collect names at the top of a file, and methods as Class.method."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {
                f'{node.name}.{part.name}'
                for part in node.body
                if isinstance(part, ast.FunctionDef)
            }
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = getattr(node, 'targets', None) or [node.target]
            found |= {t.id for t in targets if isinstance(t, ast.Name)}
    return found


def equations_in(text: str) -> set[int]:
    """Numbers after "Eq.", ranges spelt out: "Eq. 8 to 10" are three."""
    numbers: set[int] = set()
    for first, joint, last in re.findall(
        r'Eq\. (\d+)(?: (to|and) (\d+))?', text
    ):
        numbers.add(int(first))
        if joint == 'and':
            numbers.add(int(last))
        if joint == 'to':
            numbers |= set(range(int(first), int(last) + 1))
    return numbers


def test_equations_are_read() -> None:
    assert equations_in('Eq. 2 and 3, Eq. 8 to 10; Eq. 15') == {
        2, 3, 8, 9, 10, 15,
    }  # fmt: skip


def test_paths_exist() -> None:
    named = set(re.findall(r'`([\w/]+/|[\w/]+\.\w+)`', PAGE))
    paths = {name for name in named if '/' in name}
    assert len(paths) > 60
    assert not [name for name in paths if not locate(name).exists()]


def test_functions_exist() -> None:
    found = NAMED.findall(PAGE)
    assert len(found) > 40
    lost = []
    for file, text in found:
        there = defined(locate(file))
        names = re.findall(r'`([\w.]+)`', re.sub(r'\([^)]*\)', '', text))
        lost += [f'{file}: {name}' for name in names if name not in there]
    assert not lost


def test_every_folder_has_its_line() -> None:
    folders = {
        f'{path.parent.relative_to(PACKAGE)}/'
        for path in PACKAGE.rglob('*')
        if path.is_file() and '__pycache__' not in path.parts
    } - {'./', 'workshop/'}
    assert len(folders) > 25
    assert not [name for name in folders if f'`{name}`' not in PAGE]


@pytest.mark.parametrize('number', range(1, 16))
def test_an_equation_is_where_the_table_says(number: int) -> None:
    """The first file of its row says so itself."""
    rows = [
        row.split('|')[1:3]
        for row in PAGE.splitlines()
        if row.startswith('| Eq.')
    ]
    (files,) = [files for what, files in rows if number in equations_in(what)]
    file = NAMED.findall(files)[0][0]
    assert number in equations_in(locate(file).read_text())


def test_the_drawing_is_the_contract() -> None:
    """Rooms are drawn in the order that the import contract gives them."""
    layers = re.search(
        r'containers = \["mmfmwsss"\]\nlayers = \[(.*?)\]',
        (ROOT / 'pyproject.toml').read_text(),
        re.S,
    )
    assert layers
    order = {
        name: number
        for number, line in enumerate(re.findall(r'".*?"', layers[1]))
        for name in re.findall(r'\w+', line)
    }
    drawing = PAGE.split('```mermaid')[1].split('```')[0]
    drawn = set(re.findall(r'^    (\w+)\["', drawing, re.M))
    assert drawn == {'tools', *order}
    for chain in re.findall(r'^    (\w.* --> .*)$', drawing, re.M):
        steps = [re.findall(r'\w+', step) for step in chain.split('-->')]
        for upper, lower in pairwise(steps):
            for one in upper:
                for other in lower:
                    assert order.get(one, -1) < order[other], chain
