# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Hooks of the site; without mkdocs, which one environment does not have."""

import doctest
import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def pages() -> ModuleType:
    pytest.importorskip('mkdocs')
    return importlib.import_module('pages')


def test_entries_without_a_page_are_left_out(pages: ModuleType) -> None:
    menu = [
        {'Home': 'index.md'},
        {'Use': [{'A': 'a.md'}, 'b.md', {'C': [{'D': 'd.md'}]}]},
        {'None': [{'E': 'e.md'}]},
    ]
    assert pages.present_entries(menu, {'index.md', 'b.md'}) == [
        {'Home': 'index.md'},
        {'Use': ['b.md']},
    ]
    assert pages.present_entries(None, {'index.md'}) == []


@pytest.mark.parametrize(
    ('link', 'source', 'expected'),
    [
        ('[a](b.md#c)', 'docs/a.md', '[a](b.md#c)'),
        ('[a](../a.md)', 'docs/api/b.md', '[a](../a.md)'),
        ('[a](../tools/train.py)', 'docs/a.md', 'a'),
        ('[a](../README.md#x)', 'docs/a.md', 'a'),
        ('[a](../CHANGELOG.md)', 'docs/a.md', '[a](changelog.md)'),
        ('[a](docs/a.md)', 'CONTRIBUTING.md', '[a](a.md)'),
        (
            '[`a`](../configs/fmwsss/ablation/network.py)',
            'docs/a.md',
            '[`a`](configs.md#network)',
        ),
        ('[a](https://b.org/c.md)', 'docs/a.md', '[a](https://b.org/c.md)'),
        ('[a](#b)', 'docs/a.md', '[a](#b)'),
        ('![a](a.jpg)', 'docs/a.md', '![a](a.jpg)'),
    ],
    ids=lambda text: re.sub(r'\W+', '-', text),
)
def test_links(
    pages: ModuleType, link: str, source: str, expected: str
) -> None:
    assert pages.site_links(f'x {link} y', source) == f'x {expected} y'


def test_docstrings_become_markdown() -> None:
    pytest.importorskip('griffe')
    as_markdown = importlib.import_module('docstrings').as_markdown
    text = 'As :func:`mask_sums` of `A B <https://c.org/d_e>`_, ``S``.'
    assert as_markdown(text) == (
        'As `mask_sums` of [A B](https://c.org/d_e), ``S``.'
    )
    assert as_markdown(':class:`~.base.BaseSeeder`') == '`BaseSeeder`'
    text = 'So::\n\n    a\n\nOr\n\n.. code-block:: python\n\n    b::1\n'
    assert as_markdown(text) == 'So:\n\n    a\n\nOr\n\n\n    b::1\n'
    text = '===== ===\n``a`` one\n      two\nb     c\n===== ===\nEnd.'
    assert as_markdown(text) == ('- ``a``: one two\n- b: c\n\nEnd.')


def test_examples_of_the_hooks(pages: ModuleType) -> None:
    for name in ('pages', 'config_heads', 'docstrings', 'room_drawing'):
        found = doctest.testmod(importlib.import_module(name))
        assert found.attempted > 0
        assert found.failed == 0


def test_the_menu_names_every_page_once() -> None:
    menu = re.findall(
        r'([\w/]+\.md)$', (ROOT / 'mkdocs.yml').read_text(), re.M
    )
    there = {
        path.relative_to(ROOT / 'docs').as_posix()
        for path in (ROOT / 'docs').rglob('*.md')
    }
    assert len(menu) == len(set(menu))
    assert not there - set(menu)
