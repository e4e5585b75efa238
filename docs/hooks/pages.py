# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Hooks of mkdocs: the page of configs, links to files, drawings.

Pages are written for readers of the repository: links go to files beside
them. On the site, a link to a page stays, one to a config goes to its entry on
the page of configs, and one to any other file becomes its name.
"""

import posixpath
import re
from pathlib import Path

from config_heads import pages_part
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from room_drawing import draw_rooms

ROOT = Path(__file__).parents[2]
GUESTS = {'CONTRIBUTING.md': 'contributing.md', 'CHANGELOG.md': 'changelog.md'}
LINK = re.compile(r'(?<!!)\[([^\]]+)\]\((?!https?:|#|mailto:)([^)\s]+)\)')
CONFIGS = re.compile(r'^<!-- configs: (\S+) -->$', re.M)
MERMAID = re.compile(r'^```mermaid\n(.*?)^```$', re.M | re.S)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Leave entries of the menu out whose page is not there."""
    there = {
        path.relative_to(ROOT / 'docs').as_posix()
        for path in (ROOT / 'docs').rglob('*.md')
    }
    config.nav = present_entries(config.nav, there | set(GUESTS.values()))
    return config


def present_entries(nav: object, there: set[str]) -> list:
    """Keep the entries of a menu whose pages are there, and their menus."""
    kept: list = []
    for item in nav if isinstance(nav, list) else []:
        title, page = (
            next(iter(item.items()))
            if isinstance(item, dict)
            else (None, item)
        )
        if isinstance(page, list):
            page = present_entries(page, there)
        if page if isinstance(page, list) else page in there:
            kept.append(page if title is None else {title: page})
    return kept


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie at the top of the repository."""
    for source, page in GUESTS.items():
        text = (ROOT / source).read_text(encoding='utf-8')
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Fill in configs, turn links and drawings into those of the site."""
    markdown = CONFIGS.sub(
        lambda found: pages_part(ROOT / 'configs' / 'fmwsss', found[1]),
        markdown,
    )
    markdown = MERMAID.sub(lambda found: draw_rooms(found[1]), markdown)
    guests = {name: source for source, name in GUESTS.items()}
    uri = page.file.src_uri
    return site_links(markdown, guests.get(uri, f'docs/{uri}'))


def site_links(markdown: str, source: str) -> str:
    """Turn the links of a page into those of the site.

    Args:
        markdown (str): The page.
        source (str): Its path in the repository.

    Example:
        >>> site_links('[x](../README.md), [y](faq.md)', 'docs/a.md')
        'x, [y](faq.md)'
        >>> site_links('[c](../configs/fmwsss/custom.py)', 'docs/a.md')
        '[c](configs.md#custom)'
        >>> site_links('[c](docs/faq.md)', 'CONTRIBUTING.md')
        '[c](faq.md)'
    """
    folder = posixpath.dirname(source)
    here = folder.removeprefix('docs')[1:] or '.'

    def replace(link: re.Match[str]) -> str:
        text, target = link.groups()
        path, _, anchor = target.partition('#')
        path = posixpath.normpath(posixpath.join(folder, path))
        if path in GUESTS:
            path = f'docs/{GUESTS[path]}'
        if path.startswith('configs/fmwsss/') and path.endswith('.py'):
            path, anchor = 'docs/configs.md', Path(path).stem
        if not path.startswith('docs/'):
            return text
        path = posixpath.relpath(path.removeprefix('docs/'), here)
        return f'[{text}]({path}{"#" + anchor if anchor else ""})'

    return LINK.sub(replace, markdown)
